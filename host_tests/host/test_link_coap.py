"""CoapLink against Lwm2mServer over UDP on loopback, and both against plain aiocoap, which shares no message layer."""

import asyncio

import aiocoap
import aiocoap.resource
import pytest
from host.link_pair import Node, Pair, TEMPERATURE, free_port, paired, plain

from testing.lwm2m.link import BOOLEAN, FLOAT, JSON, OPAQUE, TEXT_PLAIN, TLV, Account
from testing.lwm2m.server import Lwm2mServer


@plain
async def test_register_update_deregister():
    pair = Pair()
    async with pair as (server, node):
        client = server.clients["node"]
        assert (client.lifetime, client.binding, client.version) == (300, "U", "1.0")
        assert client.objects == ["/1/0", "/3/0", "/3303/0"]
        assert await node.outcome(node.link.update) == 204
        assert await node.outcome(node.link.update, lifetime=600, binding="UQ", objects=["/3303/0", "/3304/0"]) == 204
        assert (client.lifetime, client.binding, client.objects) == (600, "UQ", ["/3303/0", "/3304/0"])
        assert client.updates == 2
        assert await node.outcome(node.link.deregister) == 202
        assert server.clients == {}
        assert await node.outcome(node.link.update) == 404


@paired
async def test_an_update_without_changes_carries_nothing(server, node):
    sent = []
    node.link.endpoint.trace = lambda way, data, remote: sent.append((way, data))
    await node.outcome(node.link.update)
    out = [aiocoap.Message.decode(data) for way, data in sent if way == "out"]
    assert out[0].opt.uri_query == () and out[0].payload == b"" and out[0].opt.content_format is None


@plain
async def test_a_refused_registration():
    async with Pair(register=False) as (server, node):
        server.refuse = 403
        assert await node.register() == 403 and server.clients == {}


@plain
async def test_nobody_there_is_none_and_an_unknown_host_is_told():
    async with Pair(register=False) as (server, node):
        node.link.radio(up=False)
        assert await node.register() is None
        told = []
        node.link.trouble = told.append
        account = Account("no-such-host.invalid")
        assert await node.outcome(node.link.register, account, "node", 300, "U", ["/3/0"]) is None
        assert "no-such-host.invalid" in told[0]


@paired
async def test_reads_in_each_format_and_of_each_depth(server, node):
    for accept in (None, TLV, TEXT_PLAIN, JSON):
        answer = await server.read("node", TEMPERATURE, accept)
        assert answer.code == 205 and answer.value == 21.5
        assert answer.content_format == (TLV if accept is None else accept)
    answer = await server.read("node", "/3303/0")
    assert [each.value for each in answer.values] == [21.5, "Cel"]
    answer = await server.read("node", "/3303")
    assert [each.path for each in answer.values] == [TEMPERATURE, (3303, 0, 5701)]
    assert (await server.read("node", "/9/9/9")).code == 404


@paired
async def test_an_answer_after_the_acknowledgement_is_a_separate_response(server, node):
    node.silent = True
    seen = []
    acknowledged = asyncio.Event()

    def trace(way, data, remote):
        seen.append((way, aiocoap.Message.decode(data)))
        if way == "out" and seen[-1][1].code == aiocoap.EMPTY:
            acknowledged.set()

    node.link.endpoint.trace = trace
    asking = asyncio.ensure_future(server.read("node", TEMPERATURE))
    await acknowledged.wait()
    node.answer(node.requests[0])
    answer = await asking
    assert answer.value == 21.5
    out = [each for way, each in seen if way == "out"]
    assert [each.mtype for each in out] == [aiocoap.ACK, aiocoap.CON]


@paired
async def test_writes_executes_creates_and_deletes(server, node):
    assert (await server.write("node", "/3306/0/5850", True)).code == 204
    assert (await server.write("node", "/3306/0", [((3306, 0, 5850), BOOLEAN, "0")], replace=False)).code == 204
    assert (await server.write("node", "/3303/0/5750", "cellar", TEXT_PLAIN)).code == 204
    assert (await server.execute("node", "/3303/0/5605", "0='now'")).code == 204
    assert (await server.create("node", "/3306", [((3306, 1, 5850), BOOLEAN, "1")])).code == 201
    assert (await server.delete("node", "/3306/1")).code == 202
    seen = [(each.operation, each.path, each.payload, each.replace) for each in node.requests]
    assert seen == [("write", (3306, 0, 5850), bytes.fromhex("e116da01"), True),
                    ("write", (3306, 0), bytes.fromhex("e116da00"), False),
                    ("write", (3303, 0, 5750), b"cellar", True),
                    ("execute", (3303, 0, 5605), b"0='now'", False),
                    ("create", (3306,), bytes.fromhex("0401e116da01"), False), ("delete", (3306, 1), b"", True)]
    assert len({each.mid for each in node.requests}) == 6


@paired
async def test_discover_shows_written_attributes(server, node):
    assert (await server.write_attributes("node", TEMPERATURE, pmin=5, gt=25)).code == 204
    answer = await server.discover("node", "/3303/0")
    assert answer.payload == b"</3303/0>,</3303/0/5700>;gt=25;pmin=5,</3303/0/5701>"


@plain
async def test_observe_notify_and_cancel():
    pair = Pair()
    async with pair as (server, node):
        answer = await server.observe("node", TEMPERATURE)
        assert answer.value == 21.5 and node.link.observations() == [TEMPERATURE]
        assert await node.notify("22.5") == 0
        assert await node.notify("23.5", confirm=False) == 0
        assert (await pair.notified.get())[0].value == 22.5
        assert (await pair.notified.get())[0].value == 23.5
        assert [each[:3] for each in server.deliveries] == [(TEMPERATURE, FLOAT, 22.5), (TEMPERATURE, FLOAT, 23.5)]
        assert (await server.cancel("node", TEMPERATURE)).code == 205
        assert node.link.observations() == [] and await node.notify("24") == -1


@plain
async def test_sequence_numbers_rise():
    pair = Pair()
    async with pair as (server, node):
        numbers = []

        def trace(way, data, remote):
            message = aiocoap.Message.decode(data)
            if way == "out" and message.opt.observe is not None:
                numbers.append(message.opt.observe)

        node.link.endpoint.trace = trace
        await server.observe("node", TEMPERATURE)
        for number in range(3):
            await node.notify(str(number))
        assert numbers == sorted(set(numbers)) and len(numbers) == 4


@pytest.mark.parametrize("confirm", [True, False])
@plain
async def test_a_reset_ends_the_observation(confirm):
    async with Pair() as (server, node):
        await server.observe("node", TEMPERATURE)
        await server.cancel("node", TEMPERATURE, active=False)
        node.arrived.clear()
        assert await node.notify("1", confirm) == (-1 if confirm else 0)
        await node.arrived.wait()
        assert node.requests[-1].operation == "cancel" and not node.requests[-1].expects_answer
        assert node.link.observations() == [] and server.resets == 1


@paired
async def test_an_outage_ends_a_notification_and_keeps_the_observation(server, node):
    await server.observe("node", TEMPERATURE)
    node.link.radio(up=False)
    assert await node.notify("1") is None
    node.link.radio(up=True)
    assert await node.notify("2") == 0
    assert [each.value for each in server.deliveries] == [2.0]


@plain
async def test_an_outage_that_begins_behind_the_notification_makes_no_duplicate():
    pair = Pair()
    async with pair as (server, node):
        await server.observe("node", TEMPERATURE)
        relay = node.link.relay
        relay.trace = lambda way, data: relay.radio(up=False)  # the acknowledgement will find no network
        sent = []

        def trace(way, data, remote):
            sent.append(way)
            if len(sent) == 2:
                relay.trace = None
                relay.radio(up=True)

        node.link.endpoint.trace = trace
        assert await node.notify("1") == 0
        assert sent == ["out", "out", "in"]
        assert len(server.deliveries) == 1 and server.duplicates == 1


@paired
async def test_loss_is_repaired_and_nothing_is_taken_twice(server, node):
    await server.observe("node", TEMPERATURE)
    node.link.radio(loss=30)
    node.link.retransmission(0.01, 8, fixed=True)
    for number in range(20):
        assert await node.notify(str(number)) == 0
    assert [each.value for each in server.deliveries] == [float(number) for number in range(20)]


@paired
async def test_a_request_in_an_outage_times_out_and_the_observation_lives(server, node):
    await server.observe("node", TEMPERATURE)
    server.endpoint.max_retransmit = 1
    node.link.radio(up=False)
    assert (await server.read("node", TEMPERATURE)).code is None
    node.link.radio(up=True)
    assert await node.notify("2") == 0


@paired
async def test_a_new_address_is_learnt_from_the_update(server, node):
    old = server.clients["node"].link.address
    await node.link.change_address()
    assert await node.outcome(node.link.update) == 204
    assert server.clients["node"].link.address != old
    assert (await server.read("node", TEMPERATURE)).value == 21.5


@paired
async def test_a_suspended_module_hears_nothing_and_sends_when_it_wakes(server, node):
    await server.observe("node", TEMPERATURE)
    node.link.suspend()
    sending = asyncio.ensure_future(node.notify("1"))
    server.endpoint.max_retransmit = 0
    assert (await server.read("node", TEMPERATURE)).code is None
    assert len(node.requests) == 1 and not sending.done()
    node.link.resume()
    assert await sending == 0


@paired
async def test_what_was_on_its_way_when_the_supply_went_is_lost(server, node):
    """No notification and no answer of before comes out of a module that is switched on again; its observation may."""
    await server.observe("node", TEMPERATURE)
    node.silent = True
    server.endpoint.max_retransmit = 0
    asking = asyncio.ensure_future(server.read("node", TEMPERATURE))
    while len(node.requests) < 2:
        await asyncio.sleep(0.01)
    node.link.radio(up=False)
    sending = asyncio.ensure_future(node.notify("1"))
    await asyncio.sleep(0.02)
    node.link.cut()
    node.link.radio(up=True)
    node.answer(node.requests[1])
    node.link.resume()
    sent = node.link.endpoint.transmissions
    await asyncio.sleep(0.3)
    assert node.link.endpoint.transmissions == sent and not sending.done()
    assert await node.notify("2") == 0
    for each in (sending, asking):
        each.cancel()


@plain
async def test_queue_mode_waits_until_the_node_is_heard_of():
    pair = Pair(register=False, awake_s=0)
    async with pair as (server, node):
        assert await node.register(binding="UQ") == 201
        said = asyncio.Event()
        server.log = lambda sentence: said.set() if "waits" in sentence else None
        asking = asyncio.ensure_future(server.write("node", "/3306/0/5850", True))
        await said.wait()
        assert node.requests == []
        server.awake_s = 10
        assert await node.outcome(node.link.update) == 204
        assert (await asking).code == 204


@plain
async def test_the_lifetime_runs_out():
    pair = Pair(register=False)
    async with pair as (server, node):
        assert await node.register(lifetime=0) == 201
        assert [await pair.events.get(), await pair.events.get()] == ["registered", "expired"]
        assert await node.outcome(node.link.update) == 404


@paired
async def test_a_restarted_server_resets_and_refuses(server, node):
    await server.observe("node", TEMPERATURE)
    server.forget()
    assert await node.notify("1") == -1
    assert await node.outcome(node.link.update) == 404
    assert await node.register() == 201


@paired
async def test_a_power_cycle_forgets_and_old_outcomes_stay_away(server, node):
    await server.observe("node", TEMPERATURE)
    outcomes = []
    node.link.update(outcomes.append)
    node.link.forget()
    assert node.link.observations() == [] and await node.notify("1") == -1
    assert await node.register() == 201 and outcomes == []


@paired
async def test_a_pack_on_object_19_becomes_single_readings(server, node):
    await server.observe("node", (19, 0, 0))
    pack = b"\x81\xa3\x22\x1a\x69\x55\xb9\x00\x00\x6c/3303/0/5700\x02\x01"
    assert await node.outcome(node.link.notify, (19, 0, 0), [((19, 0, 0), OPAQUE, pack)], True) == 0
    assert [tuple(each) for each in server.deliveries] == [(TEMPERATURE, FLOAT, 1.0, 1767225600)]


@plain
async def test_large_values_travel_in_blocks_both_ways():
    pair = Pair()
    async with pair as (server, node):
        large = bytes(range(256)) * 12
        node.values[(19, 0, 0)] = (OPAQUE, large)
        assert (await server.read("node", (19, 0, 0))).value == large
        await server.observe("node", (19, 0, 0))
        assert await node.outcome(node.link.notify, (19, 0, 0), [((19, 0, 0), OPAQUE, large[::-1])], True) == 0
        assert (await pair.notified.get())[0].value == large[::-1]


@plain
async def test_auto_observe():
    pair = Pair(register=False, auto_observe=["/3303/0/5700"])
    async with pair as (server, node):
        assert await node.register() == 201
        await node.arrived.wait()
        assert node.requests[0].operation == "observe"


# against plain aiocoap


class Recorder(aiocoap.resource.Resource):
    """An aiocoap resource tree that takes registrations and remembers them."""

    def __init__(self):
        super().__init__()
        self.requests = []

    async def render(self, request):
        self.requests.append(request)
        return aiocoap.Message(code=aiocoap.CREATED, location_path=("rd", "7"))


@plain
async def test_an_aiocoap_server_takes_our_registration_and_reads_us():
    site = aiocoap.resource.Site()
    recorder = Recorder()
    site.add_resource(["rd"], recorder)
    server = Lwm2mServer()
    server.port = free_port()
    context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", server.port))
    try:
        async with Node(server) as node:
            assert await node.register() == 201
            request = recorder.requests[0]
            assert dict(item.split("=") for item in request.opt.uri_query) == {
                "ep": "node", "lt": "300", "lwm2m": "1.0", "b": "U"}
            assert request.payload == b'</>;rt="oma.lwm2m",</1/0>,</3/0>,</3303/0>'
            reading = aiocoap.Message(code=aiocoap.GET, uri_path=("3303", "0", "5700"), accept=0)
            reading.remote = request.remote
            assert (await context.request(reading).response).payload == b"21.5"
            observing = aiocoap.Message(code=aiocoap.GET, uri_path=("3303", "0", "5700"), accept=0, observe=0)
            observing.remote = request.remote
            running = context.request(observing)
            assert (await running.response).payload == b"21.5"
            notified = running.observation.__aiter__()
            for text in ("22", "23"):
                assert await node.notify(text) == 0
                assert (await notified.__anext__()).payload == text.encode()
            writing = aiocoap.Message(code=aiocoap.PUT, uri_path=("19", "0", "0"), payload=b"z" * 3000, content_format=42)
            writing.remote = request.remote
            assert (await context.request(writing).response).code == aiocoap.CHANGED
            assert node.requests[-1].payload == b"z" * 3000
    finally:
        await context.shutdown()


@plain
async def test_an_aiocoap_client_registers_with_our_server():
    server = await Lwm2mServer().start()
    context = await aiocoap.Context.create_client_context()
    try:
        request = aiocoap.Message(code=aiocoap.POST, uri=f"coap://127.0.0.1:{server.port}/rd?ep=other&lt=60&lwm2m=1.0&b=U",
                                  payload=b"</3/0>,</3303/0>", content_format=40)
        response = await context.request(request).response
        assert response.code == aiocoap.CREATED and response.opt.location_path[0] == "rd"
        assert server.clients["other"].objects == ["/3/0", "/3303/0"]
    finally:
        await context.shutdown()
        await server.close()
