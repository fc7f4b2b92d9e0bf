"""The bootstrap interface of the test server: what it writes into a client that asks, and the steps for one account.

    server.bootstrap["node-1"] = bootstrap_config("coap://127.0.0.1:5683")
"""

from aiocoap import DELETE, POST, PUT

from testing.lwm2m.codec import encode
from testing.lwm2m.endpoint import coap_code, code_number, message, query_of
from testing.lwm2m.names import BOOLEAN, INTEGER, OPAQUE, STRING, TLV, parse_path, path_text


async def bootstrap(server, request):
    """POST /bs?ep=: delete and write what `bootstrap[endpoint]` (or "*") lists, then say that it is finished.

    Steps are ("delete", path) and ("write", path, content_format, payload), see `bootstrap_config`.
    """
    endpoint = query_of(request).get("ep", "")
    steps = server.bootstrap.get(endpoint, server.bootstrap.get("*"))
    server.endpoint.respond(request, message(coap_code(204 if steps else 400)))
    if not steps:
        server.event(endpoint, "bootstrap refused", "nothing is configured for it")
        return
    for step in steps:
        path = tuple([str(part) for part in parse_path(step[1])])
        outgoing = message(DELETE if step[0] == "delete" else PUT, uri_path=path)
        if step[0] == "write":
            outgoing.payload, outgoing.opt.content_format = step[3], step[2]
        code = await _step(server, outgoing, request.remote)
        if code is None or code >= 400:
            server.event(endpoint, "bootstrap failed", f"{step[0]} {path_text(parse_path(step[1]))}: {code}")
            return
    code = await _step(server, message(POST, uri_path=("bs",)), request.remote)
    server.event(endpoint, "bootstrapped" if code == 204 else "bootstrap failed", f"finish: {code}")


async def _step(server, outgoing, remote):
    response = await server.response(outgoing, remote)
    return None if response is None else code_number(response.code)


def bootstrap_config(uri, short_id=123, lifetime=86400, binding="U", psk_identity=None, psk=None):
    """The steps that give a client one account: delete what was, write security and server (TS 1.0.2, appendix E)."""
    mode = "3" if psk is None else "0"  # 3 NoSec, 0 pre-shared key (appendix E.1)
    security = [((0, 1, 0), STRING, uri), ((0, 1, 1), BOOLEAN, "0"), ((0, 1, 2), INTEGER, mode),
                ((0, 1, 3), OPAQUE, (psk_identity or "").encode()), ((0, 1, 4), OPAQUE, b""),
                ((0, 1, 5), OPAQUE, b"" if psk is None else bytes(psk)), ((0, 1, 10), INTEGER, str(short_id))]
    account = [((1, 0, 0), INTEGER, str(short_id)), ((1, 0, 1), INTEGER, str(lifetime)), ((1, 0, 6), BOOLEAN, "1"),
               ((1, 0, 7), STRING, binding)]
    return [("delete", (0, 1)), ("delete", (1,)),
            ("write", (0, 1), TLV, encode(TLV, (0, 1), security)),
            ("write", (1, 0), TLV, encode(TLV, (1, 0), account))]
