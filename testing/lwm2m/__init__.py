"""The LwM2M 1.0 peers of a module model: a client ("link") below it and a server across from it.

`link` is the protocol between a module model and the client; `local` plays client and server inside one
process in virtual time; `client` and `server` speak CoAP over UDP; `relay` is the radio between them.
"""
