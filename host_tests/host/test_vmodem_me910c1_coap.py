"""The ME910C1's model over a pty and real CoAP: the module answers the server, and tells the host what changed."""

import asyncio
import json
import os

from fakes.telit import ready
from host_tests.host.test_vmodem_transport import ask, on_wire

QUICK = {
    "boot_ms": 5, "attach_ms": 10, "activation_ms": 20, "register_after_bootstrap_ms": 5, "retry_ms": 10, "notify_ms": 5,
    "echo": 0, "registration_urcs": True,
}


def run(test, memory, *objects):
    memory.write_text(json.dumps(ready(*objects)))
    asyncio.run(on_wire(test, "me910c1", nvram_file=memory, **QUICK))


async def registered(modem, host):
    await ask(modem, "advance 200")  # booted and attached
    os.write(host.fd, b"AT#LWM2MENA=1\r")
    await host.hear('LWM2M-TLT:"REGISTERED",SSID=99,"coap://host:5683"')


def test_values_are_read_observed_and_acknowledged(tmp_path):
    async def session(server, modem, host):
        await registered(modem, host)
        await host.say("AT#LWM2MNFYACKURI=0,1,3303,0,5700;#LWM2MNFYACKENA=0,1")
        await host.say("AT#LWM2MSET=1,3303,0,5700,0,21.5")
        assert (await server.read("node-1", "/3303/0/5700")).value == 21.5
        assert (await server.observe("node-1", "/3303/0/5700")).code == 205
        await host.say("AT#LWM2MSET=1,3303,0,5700,0,22.5")
        if b"NFYACK" not in host.heard:
            await host.hear('#LWM2MNFYACK: 0,99,"/3303/0/5700","ACK"')
        assert server.deliveries[-1].value == 22.5
        assert "/3303/0" in server.clients["node-1"].objects

    run(session, tmp_path / "memory.json", 3303)


def test_a_write_is_told_and_a_reboot_forgets_the_list(tmp_path):
    async def session(server, modem, host):
        await registered(modem, host)
        await host.say("AT#LWM2MMON=1,3306")
        written = await server.write("node-1", "/3306/0/5850", b"1", 0)
        assert written.code == 204
        if b"MON" not in host.heard:
            await host.hear('#LWM2MMON: UPD,"/3306/0/5850/0"')
        host.heard = b""
        assert "#LWM2MR: 1" in await host.say("AT#LWM2MR=0,3306,0,5850,0")
        assert (await server.execute("node-1", "/3/0/4")).code == 204
        await host.hear('#LWM2MINFO: "GEN","DEVICE REBOOT"')
        await ask(modem, "advance 5000")
        assert (await host.say("AT#LWM2MMON?"))[-1] == "OK" and modem.model.monitored == []

    run(session, tmp_path / "memory.json", 3306)
