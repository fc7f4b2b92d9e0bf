"""What a module's error and a network's refusal mean, and what to do: 3GPP TS 27.007 9.2 (+CME ERROR), TS 27.005 3.2.5 (+CMS
ERROR), TS 24.301 9.9.3.9 (EMM cause).

    >>> explain(10, "+CME ERROR")
    'no SIM: insert it, contacts down, with the power off'
    >>> spelled("registration: status 13")
    'registration: status 13 (forbidden)'

These numbers are the same for all modules. +CMEE ERROR and the status codes are BC66's own (its LwM2M note, chapter 6); 500 and
above are in the module's own manual. Bounds: one text that is looked through, 4 KB of heap while a person is there.
"""

# Codes, each between blanks, and what they mean. The letter says whose: none +CME ERROR, m +CMS ERROR, n the network's cause,
# e +CMEE ERROR, s status, q a session (Modem.status()).
_TEXT = """ 0 m300 =the module failed in itself, without a reason: switch it off and on
 3 m302 =not allowed as things are: is it registered, attached, configured already?
 4 m303 =this module or its firmware does not know the command
 5 =the SIM is locked to another device
 10 m310 =no SIM: insert it, contacts down, with the power off
 11 m311 =the SIM asks for its PIN: put the right pin into secrets.json and provision
 12 =the SIM asks for its PUK, after three wrong PINs: put it into a telephone
 13 m313 =the SIM does not answer: take the power off, clean it, look at its holder and lines
 14 m314 =the SIM is busy: ask again in a second
 15 =this SIM does not belong here: another card is needed
 16 =a wrong password or PIN: three of them lock the SIM
 17 =the SIM asks for its PIN2
 18 =the SIM asks for its PUK2: put it into a telephone
 20 =the module's memory is full: delete something in it
 21 m321 =there is no entry of that number
 22 =not found
 23 =the module's memory failed
 24 =the text is too long for this parameter
 25 =a character that this parameter may not have
 26 =the number to dial is too long
 27 =a character that a number to dial may not have
 30 m331 =no network: antenna, band, cover
 31 m332 =the network did not answer in time
 32 =this network allows emergency calls only: the SIM may not be used here
 40 =the module is locked to one network
 50 =wrong parameters: their number, their kind or their range
 100 =failed without a reason
 103 n2 n3 n8 =the operator knows nothing of this SIM or has barred it: have it activated
 106 n5 n6 =the network refuses this module: have the operator register its IMEI (at("+CGSN=1"))
 107 n7 n14 n25 n35 =the contract lacks this service: ask for NB-IoT or LTE-M data on this SIM
 111 112 113 n11 n12 n13 n15 =the SIM may not be used in this network or area: ask for roaming, or another operator's SIM
 132 =the network lacks this service
 134 n17 n22 =the network's own trouble: wait, the node tries again by itself, ever more seldom
 133 148 n19 =the access point refused: check apn in config.json against the contract
 149 =the APN's user or password is wrong
 m304 =the message's PDU is wrong
 m305 =a parameter of text mode is wrong
 m320 =the memory of messages failed
 m322 =the memory of messages is full: delete some
 m330 =the message centre's number is not known: set it by AT+CSCA
 e0 =operation successful
 e1 =other error
 e2 =parameter number error
 e3 =parameter value error
 e4 q0 =not registered
 e7 =disabled
 e13 =data length is odd
 e15 =not ready to receive
 e32 =keep connecting
 e33 =already registered
 q1 =registering
 q2 =registered
 q3 =deregistering
 q4 =recovering
 q5 =need recover
 q6 =unknown
 q7 =deregistered
 e34 =LwM2M cannot be created
 s0 =success
 s1 =timeout
 s2 =packet not sent
 s3 =recovery failed
 s4 =update failed
 s9 =reset
 s10 =bad request
 s13 =forbidden
 s14 =not found
 s22 =precondition failed
"""
_KINDS = {"+CME ERROR": "", "+CMS ERROR": "m", "+CMEE ERROR": "e", "error": "e", "status": "s", "EMM": "n", "session": "q"}


def explain(code: "int | str | None", result: str = "+CME ERROR") -> str:
    """A sentence for a code of that kind, or "" where the number is the module's own or none was given."""
    at = _TEXT.find(" %s%s " % (_KINDS.get(result, "?"), code))
    return _TEXT[_TEXT.find("=", at) + 1 : _TEXT.find("\n", at)] if at >= 0 else ""


def spelled(text: str) -> str:
    """A refusal of the driver, which names an error or a status by its number, with the words of BC66's manual behind it."""
    words = text.split(" ")
    for at in range(len(words) - 1):
        number = words[at + 1].rstrip(",;)")
        said = explain(number, words[at])
        if said:
            words[at + 1] = "%s (%s)%s" % (number, said, words[at + 1][len(number):])
    return " ".join(words)
