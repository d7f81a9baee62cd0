"""The GeoPackage opens, holds what the run found, and carries its styles."""

import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing

import pyogrio
import pytest

from siting.errors import OutputError
from siting.outputs import write_layers
from siting.outputs.layers import LAYERS
from siting.outputs.styles import layer_qml
from tests.outputs.made import HOSTILE


@pytest.fixture(scope="module")
def path(written):
    return written["layers"]


def query(path, sql):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def test_the_six_layers_are_there_in_wgs_84(path):
    names = [name for name, _ in pyogrio.list_layers(path)]
    assert names == [*LAYERS, "layer_styles"]
    for name in LAYERS:
        assert pyogrio.read_info(path, layer=name)["crs"] == "EPSG:4326"


def test_every_community_is_there_once_with_its_verdict_now_and_after(path, results):
    table = pyogrio.read_dataframe(path, layer="communities")
    assert list(table["community_id"]) == list(results.tables.communities["community_id"])
    assert (table.geom_type == "MultiPolygon").all()
    assert table["verdict"].iloc[0] == "meets"
    assert table["verdict"].iloc[3] == "both"
    assert table["verdict_after"].iloc[3] == "meets"
    assert table["verdict"].iloc[-1] == "not_applicable"


def test_communities_without_boundaries_are_points(bare_results, tmp_path):
    write_layers(bare_results, tmp_path / "a.gpkg")
    table = pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="communities")
    assert (table.geom_type == "Point").all()
    assert pyogrio.read_info(tmp_path / "a.gpkg", layer="plan", force_feature_count=True)["features"] == 0


def test_ids_keep_their_zeros_and_names_are_text(path):
    table = pyogrio.read_dataframe(path, layer="communities")
    assert table["community_id"].iloc[7] == "0007"
    assert table["name"].iloc[1] == HOSTILE[1]


def test_a_distance_beyond_the_search_is_null_not_a_number(path, results):
    table = pyogrio.read_dataframe(path, layer="demand_points")
    beyond = results.scorecard.demand["nearest_m"].to_numpy() == float("inf")
    assert beyond.any()
    assert (table["nearest_m"].isna().to_numpy() == beyond).all()


def test_measures_say_their_unit_in_the_column_name(path):
    columns = set(pyogrio.read_info(path, layer="plan")["fields"])
    assert {"area_m2", "cost_wan_yuan", "fixed_cost_wan_yuan"} <= columns
    assert "cost" not in columns


def test_circles_of_the_plan_are_told_from_those_of_today(path, results):
    table = pyogrio.read_dataframe(path, layer="circles")
    assert list(table["stage"].value_counts().items()) == [("existing", len(results.circles)), ("plan", 3)]
    assert list(table.loc[table["stage"] == "plan", "facility_id"]) == ["c1", "=c2", "s0"]


def test_the_file_is_of_the_version_that_old_qgis_reads(path):
    (version,) = query(path, "PRAGMA user_version")[0]
    assert version == 10200


def test_every_layer_has_a_default_style_that_is_well_formed(path):
    rows = query(path, "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles")
    assert sorted(name for name, *_ in rows) == sorted(LAYERS)
    for name, column, default, qml in rows:
        assert (column,) in query(path, f"SELECT column_name FROM gpkg_geometry_columns WHERE table_name = '{name}'")
        assert default == 1
        root = ET.fromstring(qml.partition(">")[2])
        symbols = {symbol.get("name") for symbol in root.iter("symbol")}
        used = {category.get("symbol") for category in root.iter("category")}
        assert used <= symbols
        assert symbols


def test_the_values_that_a_style_tells_apart_are_those_of_its_column(path):
    for layer, column in (("demand_points", "covered"), ("facilities", "counted")):
        found = set(pyogrio.read_dataframe(path, layer=layer)[column].map({True: "true", False: "false"}))
        assert (
            pyogrio.read_info(path, layer=layer)["dtypes"][
                list(pyogrio.read_info(path, layer=layer)["fields"]).index(column)
            ]
            == "bool"
        )
        (qml,) = query(path, f"SELECT styleQML FROM layer_styles WHERE f_table_name = '{layer}'")[0]
        kinds = {c.get("value"): c.get("type") for c in ET.fromstring(qml.partition(">")[2]).iter("category")}
        assert found <= set(kinds)
        assert set(kinds.values()) == {"bool"}


def test_a_style_is_a_fill_for_polygons_and_a_marker_for_points():
    assert 'type="fill"' in layer_qml("communities", "MultiPolygon")
    assert 'type="marker"' in layer_qml("communities", "Point")


def test_an_existing_file_stays_without_force(bare_results, tmp_path):
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"a planner's own layers")
    with pytest.raises(OutputError, match="--force"):
        write_layers(bare_results, path)
    assert path.read_bytes() == b"a planner's own layers"
    write_layers(bare_results, path, force=True)
    assert pyogrio.read_info(path, layer="communities", force_feature_count=True)["features"] == 20


@pytest.mark.parametrize("name", ["coverage", "coverage.shp"])
def test_a_name_without_the_ending_is_refused(bare_results, tmp_path, name):
    with pytest.raises(OutputError, match=r"\.gpkg"):
        write_layers(bare_results, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
