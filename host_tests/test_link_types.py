"""The server's own table of types against the node's registry: two hands, one truth."""

from lwnode.lwm2m import registry

from testing.lwm2m.resource_types import type_of

OBJECTS = (3200, 3201, 3202, 3203, 3300, 3301, 3302, 3303, 3304, 3305, 3306, 3308, 3310, 3311, 3312, 3313, 3314, 3315,
           3316, 3317, 3323, 3325, 3331, 3332, 3333, 3334, 3336, 3337, 3338, 3340, 3341, 3342, 3346, 3347, 3348)  # fmt: skip


def test_the_two_tables_agree_on_every_reusable_resource():
    compared = 0
    for object_id in OBJECTS:
        for resource_id in range(5500, 6060):
            try:
                found = registry.lookup(object_id, resource_id)
            except (KeyError, ValueError):
                continue
            if found is None:
                continue
            compared += 1
            assert type_of(object_id, resource_id) == found[0], (object_id, resource_id)
    assert compared > 150
