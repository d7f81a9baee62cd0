import pandas as pd
import pytest

from siting.errors import MissingFileError, NetworkError
from siting.network import mode_named, read_modes
from siting.network.modes import SHIPPED


def usable(mode, **columns):
    return mode_named(mode).usable(pd.DataFrame({name: [value] for name, value in columns.items()}))[0]


@pytest.mark.parametrize(
    ("columns", "walk", "bike", "drive"),
    [
        ({"highway": "residential"}, True, True, True),
        ({"highway": ""}, True, True, True),
        ({"highway": None}, True, True, True),
        ({"highway": "motorway"}, False, False, True),
        ({"highway": "footway"}, True, False, False),
        ({"highway": "steps"}, True, False, False),
        ({"highway": "cycleway"}, False, True, False),
        ({"highway": "cycleway", "foot": "yes"}, True, True, False),
        ({"highway": "cycleway", "foot": "designated;permissive"}, True, True, False),
        ({"highway": "footway", "bicycle": "yes"}, True, True, False),
        ({"highway": "construction", "foot": "yes"}, False, False, False),
        ({"highway": "residential", "foot": "no"}, False, True, True),
        ({"highway": "residential", "access": "no"}, False, False, False),
        ({"highway": "residential", "access": "private"}, False, False, False),
        ({"highway": "residential", "access": "private", "foot": "yes"}, True, False, False),
        ({"highway": "residential", "access": "no", "bicycle": "yes"}, False, True, False),
        ({"highway": "motorway", "access": "yes"}, False, False, True),
        ({"highway": "residential", "access": "words nobody knows"}, True, True, True),
        ({"highway": "residential", "motor_vehicle": "no"}, True, True, False),
        ({"highway": "service", "service": "parking_aisle"}, True, True, False),
        ({"highway": "pedestrian", "area": "yes"}, True, False, False),
        ({"highway": "service", "area": "yes"}, True, False, False),
        ({"highway": "footway;motorway"}, True, False, True),
        ({"highway": "FOOTWAY"}, True, False, False),
    ],
)
def test_who_may_use_what(columns, walk, bike, drive):
    assert (usable("walk", **columns), usable("bike", **columns), usable("drive", **columns)) == (walk, bike, drive)


def test_only_vehicles_are_bound_by_one_way_streets():
    assert {name: mode.directed for name, mode in read_modes().items()} == {"walk": False, "bike": True, "drive": True}


def test_of_several_classes_the_slowest_gives_the_speed():
    drive = mode_named("drive")
    table = pd.DataFrame({"highway": ["primary", "primary;service", "", "whatever"]})
    speeds = drive.class_speeds_kmh
    assert drive.speeds(table).tolist() == [speeds["primary"], speeds["service"], drive.speed_kmh, drive.speed_kmh]


def test_walking_fifteen_minutes_is_1200_metres():
    assert mode_named("walk").speed_kmh * 1000 / 60 * 15 == pytest.approx(1200)


def changed(tmp_path, old, new):
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "modes.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_a_file_of_ones_own_is_read(tmp_path):
    assert read_modes(changed(tmp_path, "speed_kmh = 4.8", "speed_kmh = 3.6"))["walk"].speed_kmh == 3.6


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("areas = true", "areas = true\nspede = 3", "unknown keys: spede"),
        ("areas = true", "", "missing keys: areas"),
        ("areas = true", 'areas = "yes"', "areas must be true or false"),
        ("speed_kmh = 4.8", "speed_kmh = -1", "speed_kmh = -1 is not a speed"),
        ("speed_kmh = 4.8", "speed_kmh = nan", "speed_kmh = nan is not a speed"),
        ("speed_kmh = 4.8", "speed_kmh = true", "speed_kmh = True is not a speed"),
        ("motorway = 80.0", 'motorway = "fast"', "motorway = 'fast' is not a speed"),
        ("closed_services = []\n", "closed_services = [3]\n", "closed_services must be a list of words"),
        ('access_tags = ["foot", "access"]', "access_tags = []", "access_tags must be a list of words"),
        ("source = \"The product's assumption, within", 'source = ""\nnote = "within', "class_speeds_source"),
        ('directed_source = "One-way', 'directed_source = " "\n# "One-way', "no source is given in directed_source"),
        ("[walk]", "walk = 3\n[foot]", 'Travel mode "walk": it must be a table'),
        ("[walk]", "[walk", "is not valid TOML"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(tmp_path, old, new, message):
    with pytest.raises(NetworkError, match=message) as caught:
        read_modes(changed(tmp_path, old, new))
    assert caught.value.text.zh != caught.value.text.en


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(MissingFileError, match="there is no file"):
        read_modes("nowhere.toml")
