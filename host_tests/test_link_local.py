"""LocalLink and LocalServer: registration, requests, notifications and what the network does to them."""

from fakes.refusal import raised
from fakes.clock import VirtualClock
from testing.lwm2m.codec import encode
from testing.lwm2m.link import BOOLEAN, FLOAT, JSON, OCTET_STREAM, OPAQUE, STRING, TEXT_PLAIN, TLV, Account
from testing.lwm2m.local import LocalLink, LocalServer

TEMPERATURE = (3303, 0, 5700)
ACCOUNT = Account("127.0.0.1")


def answer(link, values, request):
    """As the smallest client does, from {path: (type, text)}."""
    if request.operation in ("read", "observe", "discover"):
        below = [(path, kind, text) for path, (kind, text) in sorted(values.items())
                 if path[: len(request.path)] == request.path]
        link.respond(request, 205 if below else 404, below)
    else:
        link.respond(request, {"cancel": 205, "create": 201, "delete": 202}.get(request.operation, 204))


class Module:
    """The smallest module model: answers reads from a dict, records what it is asked."""

    def __init__(self, binding="U", lifetime=300, keys=None, account=ACCOUNT, register=True):
        self.clock = VirtualClock()
        self.server = LocalServer(self.clock, keys)
        self.link = LocalLink(self.clock, self.server)
        self.link.on_request = self.asked
        self.values = {TEMPERATURE: (FLOAT, "21.5"), (3303, 0, 5701): (STRING, "Cel")}
        self.requests = []
        self.codes = []
        self.silent = False
        self.binding = binding
        self.lifetime = lifetime
        self.account = account
        if register:
            self.register()

    def register(self):
        self.link.register(self.account, "node", self.lifetime, self.binding, ["/1/0", "/3/0", "/3303/0"], self.codes.append)
        self.clock.advance(1000)

    def asked(self, request):
        self.requests.append(request)
        if not self.silent:
            answer(self.link, self.values, request)

    def observe(self, path=TEMPERATURE):
        exchange = self.server.observe("node", path)
        self.clock.advance(1000)
        assert exchange.code == 205
        return exchange

    def notify(self, text, confirm=True, path=TEMPERATURE, values=None):
        outcome = []
        self.link.notify(path, values or [(TEMPERATURE, FLOAT, text)], confirm, outcome.append)
        assert outcome == []  # never from inside the call
        return outcome


def test_registration_is_seen_with_objects_lifetime_and_binding():
    module = Module(binding="UQ", lifetime=123)
    registration = module.server.registrations["node"]
    assert module.codes == [201]
    assert registration.lifetime == 123 and registration.binding == "UQ" and registration.queue_mode
    assert registration.objects == ["/1/0", "/3/0", "/3303/0"]


def test_outcomes_never_come_from_inside_the_call():
    module = Module(register=False)
    module.link.register(ACCOUNT, "node", 300, "U", ["/3303/0"], module.codes.append)
    assert module.codes == []
    module.clock.advance(100)
    assert module.codes == [201]


def test_a_refused_registration_has_the_servers_code():
    module = Module(register=False)
    module.server.refuse = 403
    module.register()
    assert module.codes == [403] and module.server.registrations == {}


def test_no_network_ends_in_none_after_all_retransmissions():
    module = Module(register=False)
    module.link.radio(up=False)
    module.register()
    module.clock.advance(60_000)
    assert module.codes == []  # 2 + 4 + 8 + 16 + 32 s
    module.clock.advance(2_000)
    assert module.codes == [None] and module.link.sent == 5


def test_fixed_retransmission_of_a_module():
    module = Module(register=False)
    module.link.retransmission(3, 2, fixed=True)
    module.link.radio(up=False)
    module.register()
    module.clock.advance(7_999)
    assert module.codes == []
    module.clock.advance(1)
    assert module.codes == [None] and module.link.sent == 3


def test_update_carries_only_what_changed_and_prolongs_the_life():
    module = Module(lifetime=100)
    for _ in range(3):
        module.clock.advance(90_000)
        module.link.update(module.codes.append)
        module.clock.advance(1_000)
    module.link.update(module.codes.append, lifetime=500)
    module.clock.advance(1_000)
    registration = module.server.registrations["node"]
    assert module.codes == [201, 204, 204, 204, 204]
    assert registration.lifetime == 500 and registration.binding == "U" and len(registration.objects) == 3


def test_lifetime_runs_out_and_the_update_is_told_so():
    module = Module(lifetime=100)
    module.clock.advance(101_000)
    assert module.server.registrations == {}
    assert module.server.events[-1][2] == "expired"
    module.link.update(module.codes.append)
    module.clock.advance(1_000)
    assert module.codes == [201, 404]


def test_deregistration():
    module = Module()
    module.link.deregister(module.codes.append)
    module.clock.advance(1_000)
    assert module.codes == [201, 202] and module.server.registrations == {}
    module.clock.advance(1_000_000)
    assert [event[2] for event in module.server.events] == ["registered", "deregistered"]


def test_registering_again_replaces_and_drops_the_observations():
    module = Module()
    module.observe()
    module.register()
    assert module.server.events[-1][2] == "reregistered"
    assert module.server.observations("node") == [] and not module.link.observed(TEMPERATURE)


def test_reads_of_resource_instance_and_object():
    module = Module()
    for path, count in ((TEMPERATURE, 1), ((3303, 0), 2), ((3303,), 2)):
        exchange = module.server.read("node", path)
        module.clock.advance(1_000)
        assert exchange.code == 205 and len(exchange.values) == count
        assert exchange.values[0].path == TEMPERATURE and exchange.values[0].value == 21.5


def test_reads_in_the_format_asked_for():
    module = Module()
    for accept in (TEXT_PLAIN, TLV, JSON):
        exchange = module.server.read("node", TEMPERATURE, accept=accept)
        module.clock.advance(1_000)
        assert exchange.content_format == accept and exchange.value == 21.5


def test_the_answer_may_come_much_later():
    module = Module()
    module.silent = True
    exchange = module.server.read("node", TEMPERATURE)
    module.clock.advance(90_000)
    assert len(module.requests) == 1 and not exchange.done
    module.link.respond(module.requests[0], 205, [(TEMPERATURE, FLOAT, "4")])
    module.clock.advance(1_000)
    assert exchange.value == 4.0


def test_silence_ends_the_exchange_and_a_late_answer_goes_nowhere():
    module = Module()
    module.silent = True
    exchange = module.server.read("node", TEMPERATURE)
    module.clock.advance(248_000)
    assert exchange.timed_out and exchange.code is None
    module.link.respond(module.requests[0], 205, [(TEMPERATURE, FLOAT, "4")])
    module.clock.advance(1_000)
    assert exchange.code is None


def test_second_answer_to_one_request_is_ignored():
    module = Module()
    exchange = module.server.read("node", TEMPERATURE)
    module.clock.advance(1_000)
    module.link.respond(module.requests[0], 404)
    module.clock.advance(1_000)
    assert exchange.code == 205


def test_write_execute_create_delete_reach_the_module_as_sent():
    module = Module()
    server = module.server
    results = [server.write("node", "/3306/0/5850", b"1", TEXT_PLAIN),
               server.write("node", "/3306/0", encode(TLV, (3306, 0), [((3306, 0, 5850), BOOLEAN, "1")]), TLV, replace=False),
               server.execute("node", "/3303/0/5605", b"0='x'"), server.create("node", "/3306", b"\x00"),
               server.delete("node", "/3306/1")]
    module.clock.advance(1_000)
    assert [each.code for each in results] == [204, 204, 204, 201, 202]
    assert [(each.operation, each.path) for each in module.requests] == [
        ("write", (3306, 0, 5850)), ("write", (3306, 0)), ("execute", (3303, 0, 5605)), ("create", (3306,)),
        ("delete", (3306, 1))]
    assert module.requests[0].payload == b"1" and module.requests[0].replace and not module.requests[1].replace
    assert module.requests[2].payload == b"0='x'"
    assert len({each.mid for each in module.requests}) == 5


def test_discover_shows_the_attributes_that_were_written():
    module = Module()
    written = module.server.write_attributes("node", TEMPERATURE, ("pmin=5", "pmax=60"))
    module.clock.advance(1_000)
    found = module.server.discover("node", "/3303/0")
    module.clock.advance(1_000)
    assert written.code == 204 and module.requests[0].query == ("pmin=5", "pmax=60")
    assert found.payload == b"</3303/0>,</3303/0/5700>;pmax=60;pmin=5,</3303/0/5701>"


def test_observe_then_confirmed_notifications_with_their_values():
    module = Module()
    module.observe()
    assert module.link.observed(TEMPERATURE) and module.link.observations() == [TEMPERATURE]
    outcome = module.notify("22.1")
    module.clock.advance(1_000)
    assert outcome == [0]
    path, kind, value, when = module.server.deliveries[0]
    assert (path, kind, value) == (TEMPERATURE, FLOAT, 22.1) and when == 1767225600 + 2


def test_a_notification_travels_on_the_observation_above():
    module = Module()
    module.observe((3303, 0))
    outcome = module.notify("22.1")
    module.clock.advance(1_000)
    assert outcome == [0] and module.server.deliveries[0][:3] == (TEMPERATURE, FLOAT, 22.1)


def test_nothing_observed_is_told_as_reset():
    module = Module()
    outcome = module.notify("22.1")
    module.clock.advance(1)
    assert outcome == [-1] and module.server.deliveries == []


def test_cancel_by_request_and_by_reset():
    module = Module()
    module.observe()
    assert module.server.cancel("node", TEMPERATURE).path == TEMPERATURE
    module.clock.advance(1_000)
    assert not module.link.observed(TEMPERATURE)
    module.observe()
    module.server.cancel("node", TEMPERATURE, active=False)
    outcome = module.notify("1")
    module.clock.advance(1_000)
    assert outcome == [-1] and not module.link.observed(TEMPERATURE)
    last = module.requests[-1]
    assert last.operation == "cancel" and not last.expects_answer
    module.link.respond(last, 205)  # harmless


def test_an_unconfirmed_notification_is_done_when_sent_and_may_be_lost():
    module = Module()
    module.observe()
    module.link.radio(up=False)
    outcome = module.notify("1", confirm=False)
    module.clock.advance(1_000)
    assert outcome == [0] and module.server.deliveries == []
    module.link.radio(up=True)
    module.notify("2", confirm=False)
    module.clock.advance(1_000)
    assert [each.value for each in module.server.deliveries] == [2.0]


def test_an_unconfirmed_notification_reset_by_a_restarted_server():
    module = Module()
    module.observe()
    module.server.restart()
    module.notify("1", confirm=False)
    module.clock.advance(1_000)
    assert not module.link.observed(TEMPERATURE)


def test_outage_that_begins_while_a_notification_is_in_flight():
    module = Module()
    module.observe()
    outcome = module.notify("22.1")
    module.clock.advance(25)  # it is at the server, its acknowledgement is not back
    module.link.radio(up=False)
    module.clock.advance(10_000)
    assert len(module.server.deliveries) == 1 and outcome == []
    module.link.radio(up=True)
    module.clock.advance(10_000)
    assert outcome == [0] and len(module.server.deliveries) == 1 and module.server.duplicates == 1


def test_loss_is_repaired_by_retransmission_and_is_the_same_in_each_run():
    counts = []
    for _ in range(2):
        module = Module()
        module.observe()
        module.link.radio(loss=40)
        outcomes = []
        for number in range(20):
            outcomes.append(module.notify(str(number)))
            module.clock.advance(70_000 if number < 19 else 300_000)
        values = [each.value for each in module.server.deliveries]
        assert len(values) == len(set(values))
        assert all(len(outcome) == 1 for outcome in outcomes)
        counts.append((values, module.link.sent, outcomes))
    assert counts[0] == counts[1] and counts[0][1] > 20


def test_a_restarted_server_resets_notifications_and_refuses_updates():
    module = Module()
    module.observe()
    module.server.restart()
    outcome = module.notify("1")
    module.clock.advance(1_000)
    assert outcome == [-1] and module.server.resets == 1
    module.link.update(module.codes.append)
    module.clock.advance(1_000)
    assert module.codes == [201, 404]


def test_a_sleeping_module_is_deaf_and_what_it_sends_waits():
    module = Module()
    module.observe()
    module.link.suspend()
    outcome = module.notify("1")
    exchange = module.server.read("node", TEMPERATURE)
    module.clock.advance(10_000)
    assert outcome == [] and not exchange.done and module.requests[-1].operation == "observe"
    module.link.resume()
    module.clock.advance(30_000)
    assert outcome == [0] and exchange.code == 205


def test_what_was_on_its_way_when_the_supply_went_is_lost():
    module = Module()
    module.observe()
    module.link.suspend()
    outcome = module.notify("1")
    module.link.cut()
    module.link.resume()
    module.clock.advance(100_000)
    assert outcome == [] and module.server.deliveries == []
    outcome = module.notify("2")
    module.clock.advance(1_000)
    assert outcome == [0] and len(module.server.deliveries) == 1


def test_queue_mode_keeps_requests_until_the_node_is_heard_of():
    module = Module(binding="UQ", lifetime=86400)
    module.clock.advance(100_000)
    exchange = module.server.write("node", "/3306/0/5850", b"1", TEXT_PLAIN)
    module.clock.advance(3_600_000)
    assert exchange.queued and not exchange.done and module.requests == []
    module.link.update(module.codes.append)
    module.clock.advance(1_000)
    assert exchange.code == 204


def test_queued_requests_survive_a_new_registration():
    module = Module(binding="UQ", lifetime=86400)
    module.clock.advance(100_000)
    exchange = module.server.read("node", TEMPERATURE)
    module.register()
    module.clock.advance(1_000)
    assert exchange.code == 205


def test_keys_must_match():
    keys = {"id": "30313233"}
    good = Module(keys=keys, account=Account("h", 5684, "id", b"0123"))
    assert good.codes == [201]
    for account in (Account("h", 5684, "id", "31"), Account("h", 5684, "other", "30313233"), ACCOUNT):
        module = Module(keys=keys, account=account)
        module.clock.advance(100_000)
        assert module.codes == [None]
    assert "3031" not in repr(Account("h", 5684, "id", "30313233"))


def test_bootstrap_writes_accounts_and_finishes():
    module = Module(register=False)
    security = encode(TLV, (0, 1), [((0, 1, 0), 1, "coap://h:5683"), ((0, 1, 1), BOOLEAN, "0")])
    module.server.bootstrap = [("delete", (0,)), ("write", (0, 1), TLV, security)]
    written = []
    module.link.bootstrap(ACCOUNT, "node", written.append, module.codes.append)
    module.clock.advance(1_000)
    assert module.codes == [204]
    assert [(each.operation, each.path, each.content_format) for each in written] == [
        ("delete", (0,), None), ("write", (0, 1), TLV)]


def test_bootstrap_refused_or_silent():
    module = Module(register=False)
    module.link.bootstrap(ACCOUNT, "node", None, module.codes.append)
    module.clock.advance(1_000)
    module.link.radio(up=False)
    module.link.bootstrap(ACCOUNT, "node", None, module.codes.append)
    module.clock.advance(70_000)
    assert module.codes == [400, None]


def test_a_senml_pack_on_object_19_becomes_single_deliveries_with_their_times():
    module = Module()
    module.values[(19, 0, 0)] = (OPAQUE, b"")
    module.observe((19, 0, 0))
    pack = b"\x82\xa3\x22\x1a\x69\x55\xb9\x00\x00\x6c/3303/0/5700\x02\x01\xa3\x00\x6c/3304/0/5700\x02\x02\x06\x18\x3c"
    module.notify(None, path=(19, 0, 0), values=[((19, 0, 0), OPAQUE, pack)])
    module.clock.advance(1_000)
    assert [tuple(each) for each in module.server.deliveries] == [
        (TEMPERATURE, FLOAT, 1.0, 1767225600), ((3304, 0, 5700), FLOAT, 2.0, 1767225660)]


def test_bytes_on_object_19_that_are_no_pack_stay_bytes():
    module = Module()
    module.values[(19, 0, 0)] = (OPAQUE, b"")
    module.observe((19, 0, 0))
    module.notify(None, path=(19, 0, 0), values=[((19, 0, 0), OPAQUE, b"\xff\x00")])
    module.clock.advance(1_000)
    assert module.server.deliveries[0].value == b"\xff\x00"


def test_a_power_cycle_forgets_registration_and_observations():
    module = Module()
    module.observe()
    module.link.forget()
    assert module.link.observations() == []
    outcome = module.notify("1")
    module.clock.advance(10)
    assert outcome == [-1]


def test_a_request_that_nobody_serves_is_not_found():
    module = Module()
    module.link.on_request = None
    exchange = module.server.read("node", TEMPERATURE)
    module.clock.advance(1_000)
    assert exchange.code == 404


def test_asking_for_an_unknown_client_names_those_that_are_there():
    module = Module()
    error = raised(KeyError, module.server.read, "other", TEMPERATURE)
    assert "other" in str(error) and "node" in str(error)


def test_an_unconfirmed_opaque_value_of_any_byte():
    module = Module()
    module.values[(19, 0, 0)] = (OPAQUE, b"")
    exchange = module.server.read("node", (19, 0, 0), accept=OCTET_STREAM)
    module.clock.advance(1_000)
    assert exchange.code == 205 and exchange.payload == b""
