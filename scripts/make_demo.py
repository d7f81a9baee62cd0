"""Make data/demo: a county that does not exist, from a seed, in the kinds of files a county office keeps.

    python scripts/make_demo.py [FOLDER]

A county town on a grid on both banks of a river with four bridges, thirteen townships in side valleys, 180 villages on
the valley roads and their branches, hamlets beyond the roads. Names, people, areas and prices are made; by ledger the
county's figures are tuned to the ten indicators that one real county reported for 2022 (临政办发〔2023〕29号, table 1).
"""

from __future__ import annotations

import csv
import datetime
import json
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pyproj
import shapely
import xlsxwriter
from demo_county.land import Roads
from demo_county.people import Community, community_figures, county_cells, make_communities
from demo_county.sites import make_candidates, make_services, make_stations

from siting.inputs import from_wgs84

SEED = 20221231
FOLDER = Path(__file__).resolve().parents[1] / "data" / "demo"
ORIGIN = (420_000.0, 3_890_000.0)  # easting and northing of the county town in EPSG:32649
TO_DEGREES = pyproj.Transformer.from_crs("EPSG:32649", "EPSG:4326", always_xy=True)


def degrees(xy: np.ndarray) -> np.ndarray:
    """Return metres from the county town as WGS84 degrees, to 7 digits (a centimetre)."""
    lon, lat = TO_DEGREES.transform(xy[:, 0] + ORIGIN[0], xy[:, 1] + ORIGIN[1])
    return np.column_stack([lon, lat]).round(7)


def place(rows: list[dict[str, object]], datum: str, digits: int = 6) -> list[dict[str, object]]:
    """Return rows with 经度 and 纬度 in a datum instead of metres."""
    lonlat = degrees(np.array([[row["x"], row["y"]] for row in rows], dtype=float))
    lon, lat = from_wgs84(lonlat[:, 0], lonlat[:, 1], datum)
    return [
        {
            **{key: value for key, value in row.items() if key not in {"x", "y"}},
            "经度": round(float(a), digits),
            "纬度": round(float(b), digits),
        }
        for row, a, b in zip(rows, lon, lat, strict=True)
    ]


def write_excel(path: Path, sheet: str, title: str, rows: list[dict[str, object]], total: tuple[str, ...] = ()) -> None:
    """Write a table as offices do: a merged title, the header, the rows, and a total."""
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_numbers": False})
    book.set_properties({"title": title, "created": datetime.datetime(2023, 1, 1)})
    page = book.add_worksheet(sheet)
    centred = book.add_format({"bold": True, "align": "center"})
    headers = list(rows[0])
    page.merge_range(0, 0, 0, len(headers) - 1, title, centred)
    page.write_row(1, 0, headers, centred)
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row.values()):
            if value != "":
                page.write(number, column, value)
    if total:
        page.write(len(rows) + 2, 0, "合计")
        for column, header in enumerate(headers):
            if header in total:
                page.write(len(rows) + 2, column, sum(float(str(row[header])) for row in rows))
    page.set_column(0, len(headers) - 1, 14)
    page.freeze_panes(2, 2)
    book.close()


def write_layer(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write a layer given in metres as a GeoPackage in WGS84, with no date of its own."""
    frame = frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), degrees), crs="EPSG:4326")
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2023-01-01T00:00:00.000Z"})
    try:
        pyogrio.write_dataframe(frame, path, driver="GPKG", layer=path.stem, VERSION="1.2", SPATIAL_INDEX="NO")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_communities(folder: Path, communities: list[Community], figures: dict[str, np.ndarray]) -> None:
    """Write the ledger of the communities and their boundaries."""
    rows = []
    for index, community in enumerate(communities):
        rows.append(
            {
                "社区（村）代码": community.code,
                "社区（村）名称": community.name,
                "乡镇（街道）": community.township,
                "城乡类型": "城市" if community.urban else "农村",
                "户数": community.households,
                "常住人口": int(figures["population"][index]),
                "60岁以上老年人": int(figures["elderly"][index]),
                "未成年人": int(figures["minors"][index]),
                "残疾人": int(figures["disabled"][index]),
                "易地扶贫搬迁安置社区": "是" if community.resettlement else "否",
                "社区总建筑面积（平方米）": int(figures["building"][index]),
                "商业和综合服务设施面积（平方米）": int(figures["commerce"][index]),
                "社区工作者": int(figures["workers"][index]) if community.urban else "",
                "持证社区工作者": int(figures["certified"][index]) if community.urban else "",
                "社区社会组织": int(figures["organisations"][index]),
                "政务自助终端": "无" if community.urban else "",
                "x": community.x,
                "y": community.y,
            }
        )
    title = "示例县社区（村）台账（2022年底；虚构数据，仅供演示）"
    write_excel(folder / "communities.xlsx", "社区台账", title, place(rows, "gcj02"), total=("户数", "常住人口"))
    cells = gpd.GeoDataFrame(
        {"社区（村）代码": [c.code for c in communities], "社区（村）名称": [c.name for c in communities]},
        geometry=county_cells(communities),
    )
    write_layer(folder / "boundaries.gpkg", cells)


def write_buildings(folder: Path, communities: list[Community]) -> None:
    """Write the outlines of homes and other buildings."""
    homes = [home for community in communities for home in community.homes]
    frame = gpd.GeoDataFrame(
        {
            "层数": [home[1] for home in homes],
            "住宅套数": [home[2] for home in homes],
            "用途": [home[3] for home in homes],
        },
        geometry=[home[0] for home in homes],
    )
    frame["住宅套数"] = frame["住宅套数"].astype("Int64")
    write_layer(folder / "buildings.gpkg", frame)


def write_services(folder: Path, services: list[dict[str, object]]) -> None:
    """Write the shops and other services as GeoJSON."""
    features = []
    for row in place(services, "wgs84"):
        lon, lat = row.pop("经度"), row.pop("纬度")
        features.append(
            {"type": "Feature", "properties": row, "geometry": {"type": "Point", "coordinates": [lon, lat]}}
        )
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    text = f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'
    (folder / "services.geojson").write_text(text, encoding="utf-8", newline="\n")


def make_demo(folder: Path) -> None:
    """Write the whole example into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    roads = Roads()
    communities = make_communities(roads, rng)
    write_communities(folder, communities, community_figures(communities, rng))
    stations, allotments, lacking = make_stations(communities, rng)
    with (folder / "stations.csv").open("w", encoding="gb18030", newline="") as stream:
        placed = place(stations, "gcj02")
        writer = csv.DictWriter(stream, list(placed[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(placed)
    write_excel(folder / "allotments.xlsx", "面积分摊", "示例县联建共用服务站面积分摊表（虚构数据）", allotments)
    write_services(folder, make_services(communities, rng))
    candidates = [
        {
            {
                "固定费用": "固定费用（万元）",
                "单价": "单价（元/平方米）",
                "年费用单价": "年费用单价（元/平方米）",
                "可用面积": "可用面积（平方米）",
            }.get(key, key): value
            for key, value in row.items()
        }
        for row in place(make_candidates(communities, lacking, rng), "cgcs2000")
    ]
    write_excel(folder / "candidates.xlsx", "候选点", "示例县社区综合服务设施候选点（虚构数据）", candidates)
    write_buildings(folder, communities)
    write_layer(folder / "roads.gpkg", roads.pieces())


if __name__ == "__main__":
    make_demo(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
