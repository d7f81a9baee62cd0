"""The sites of the example county: service stations, shops and other services, and candidates for new ones."""

from __future__ import annotations

import itertools

import numpy as np

from demo_county.people import BASELINE, Community, scale_to

PRICES = {  # how a site is obtained: fixed 万元, 元 per m², 元 per m² and year, least and most m²
    "新建": (12, 2600, 0, 80, 240),
    "扩建": (3, 2200, 0, 30, 120),
    "购置": (8, 3600, 0, 60, 260),
    "划拨": (3, 700, 0, 60, 150),
    "换购": (10, 1900, 0, 80, 260),
    "租赁": (4, 600, 240, 40, 220),
    "盘活存量": (6, 900, 12, 60, 190),
}
IN_TOWN = {  # the share of urban communities that have each service
    "便利店": 0.95,
    "综合超市": 0.5,
    "菜市场": 0.35,
    "生鲜超市": 0.4,
    "早餐店": 0.8,
    "美容美发店": 0.7,
    "洗染店": 0.3,
    "药店": 0.8,
    "家政服务点": 0.3,
    "维修点": 0.4,
    "再生资源回收点": 0.3,
    "邮政快递综合服务点": 0.6,
    "社区卫生服务站": 0.6,
    "养老服务设施": 0.45,
    "托育机构": 0.3,
    "幼儿园": 0.6,
    "餐饮": 0.85,
    "金融服务点": 0.4,
    "电信服务点": 0.35,
}
IN_VILLAGES = {  # and of villages
    "便利店": 0.75,
    "社区卫生服务站": 0.55,
    "邮政快递综合服务点": 0.3,
    "养老服务设施": 0.14,
    "幼儿园": 0.1,
    "药店": 0.12,
    "维修点": 0.12,
    "菜市场": 0.04,
    "餐饮": 0.15,
    "金融服务点": 0.12,
    "电信服务点": 0.08,
    "供销合作社": 0.25,
    "广播电视服务点": 0.15,
    "红白喜事场所": 0.4,
}


def make_stations(
    communities: list[Community], rng: np.random.Generator
) -> tuple[list[dict[str, object]], list[dict[str, object]], set[int]]:
    """Return the service stations, the allotments of shared ones, and the communities that have none."""
    rural = [index for index, community in enumerate(communities) if not community.urban]
    urban = [index for index, community in enumerate(communities) if community.urban]
    far = [index for index in rural if communities[index].far]
    lacking = set(far[::2]) | {next(index for index in rural if communities[index].resettlement)}
    missing_rural = len(rural) - round(len(rural) * BASELINE["rural_covered"])
    open_rural = [index for index in rural if index not in lacking and not communities[index].far]
    lacking |= {int(index) for index in rng.choice(open_rural, missing_rural - len(lacking), replace=False)}
    missing_urban = len(urban) - round(len(urban) * BASELINE["urban_covered"])
    lacking |= {int(index) for index in rng.choice(urban, missing_urban, replace=False)}
    served = [index for index in range(len(communities)) if index not in lacking]
    lavish = [(0.14, 0.36) if communities[index].urban else (0.10, 0.52) for index in served]
    wanted = np.array(
        [communities[index].households * rng.uniform(*m2) for index, m2 in zip(served, lavish, strict=True)]
    )
    total = sum(community.households for community in communities) * BASELINE["m2_per_household"]
    area = dict(zip(served, scale_to(wanted, total), strict=True))
    shared = _pairs_of_neighbours(communities, served, 9)
    stations, allotments = [], []
    for index in served:
        if index in set(shared.values()):
            continue
        community = communities[index]
        floor = int(area[index]) + int(area.get(shared.get(index, -1), 0))
        angle = rng.uniform(0, 2 * np.pi)
        number = f"FW{len(stations) + 1:03d}"
        stations.append(
            {
                "设施编号": number,
                "设施名称": community.name.removesuffix("村") + ("党群服务中心" if community.urban else "村便民服务站"),
                "设施类型": "社区综合服务设施",
                "所属社区代码": community.code,
                "建筑面积": floor,
                "每日开放小时": int(rng.choice([8, 8, 8, 8, 9, 10, 6, 7])),
                "可扩建至面积": round(floor * 1.8) if rng.random() < 0.25 else "",
                "扩建单价（元/平方米）": "",
                "x": community.x + 55 * np.cos(angle),
                "y": community.y + 55 * np.sin(angle),
            }
        )
        if stations[-1]["可扩建至面积"]:
            stations[-1]["扩建单价（元/平方米）"] = int(rng.choice([2200, 2600, 2800]))
        if index in shared:
            allotments += [
                {"设施编号": number, "社区代码": communities[each].code, "分摊面积": int(area[each])}
                for each in (index, shared[index])
            ]
    floors = np.array([float(str(station["建筑面积"])) for station in stations])
    activity = scale_to(floors * rng.uniform(0.3, 0.66, len(floors)), floors.sum() * BASELINE["activity"])
    for station, used in zip(stations, activity, strict=True):
        station["居民活动面积"] = int(used)
    return stations, allotments, lacking


def _pairs_of_neighbours(communities: list[Community], served: list[int], count: int) -> dict[int, int]:
    """Return villages that share a station with the next one, as keeper -> guest."""
    pairs: dict[int, int] = {}
    rural = [index for index in served if not communities[index].urban and not communities[index].far]
    for one, other in itertools.pairwise(rural):
        near = np.hypot(communities[one].x - communities[other].x, communities[one].y - communities[other].y) < 1750
        busy = {*pairs, *pairs.values()}
        if near and other == one + 1 and not busy & {one, other} and one % 7 == 0 and len(pairs) < count:
            pairs[one] = other
    return pairs


def make_services(communities: list[Community], rng: np.random.Generator) -> list[dict[str, object]]:
    """Return shops, clinics, schools and elder care: in every urban community many, in villages few."""
    rows = []
    for community in communities:
        spread = 320 if community.urban else 130
        for service, chance in (IN_TOWN if community.urban else IN_VILLAGES).items():
            if rng.random() < chance:
                hours = float(rng.choice([8, 9, 10, 12]))
                rows.append(
                    {
                        "设施编号": f"SH{len(rows) + 1:04d}",
                        "设施类型": service,
                        "设施名称": f"{community.name}{service}",
                        "建筑面积": int(rng.integers(*((120, 600) if service == "养老服务设施" else (25, 420)))),
                        "每日开放小时": hours,
                        "所属社区代码": community.code,
                        "x": community.x + rng.uniform(-spread, spread),
                        "y": community.y + rng.uniform(-spread, spread),
                    }
                )
    return rows


def make_candidates(
    communities: list[Community], lacking: set[int], rng: np.random.Generator
) -> list[dict[str, object]]:
    """Return sites of every kind of acquisition; the village at the far end of a valley has none."""
    rows: list[dict[str, object]] = []

    def add(
        index: int, way: str, group: str = "", where: tuple[float, float] | None = None, size: float = 1.0
    ) -> tuple[float, float]:
        community = communities[index]
        fixed, price, yearly, least, most = PRICES[way]
        dear = 1.3 if community.urban else 1.0
        at = where or (community.x + rng.uniform(-110, 110), community.y + rng.uniform(-110, 110))
        largest = int(rng.uniform(0.55, 1.0) * most * size * (2.6 if community.urban else 1.0))
        smallest = least
        if way == "新建" and community.urban:
            smallest, largest = 500, max(largest, 600)
        rows.append(
            {
                "候选编号": f"HX{len(rows) + 1:03d}",
                "取得方式": way,
                "可用面积（平方米）": largest,
                "最小面积": min(smallest, largest),
                "固定费用（万元）": round(fixed * dear * rng.uniform(0.8, 1.25), 1),
                "单价（元/平方米）": round(price * dear * rng.uniform(0.9, 1.15), -1),
                "年费用单价（元/平方米）": round(yearly * dear * rng.uniform(0.9, 1.2)) if yearly else "",
                "所属社区代码": community.code,
                "互斥组": group,
                "x": at[0],
                "y": at[1],
            }
        )
        return at

    urban = [index for index, community in enumerate(communities) if community.urban]
    rural_lacking = sorted(index for index in lacking if not communities[index].urban and not communities[index].far)
    served = [index for index in range(len(communities)) if index not in lacking and not communities[index].far]
    in_town = [("租赁", "购置"), ("租赁",), ("新建",), ("购置", "租赁"), ("换购",), ("租赁", "新建")]
    for number, index in enumerate(urban):
        ways = in_town[number % len(in_town)]
        group = f"同一房屋{number + 1:02d}" if set(ways) == {"租赁", "购置"} else ""
        at = add(index, ways[0], group)
        for way in ways[1:]:
            add(index, way, group, at if group else None)
    in_country = ["新建", "盘活存量", "新建", "划拨", "租赁", "新建", "换购"]
    for number, index in enumerate(rural_lacking):
        if number % 9 != 8 or communities[index].resettlement:
            add(index, in_country[number % len(in_country)])
    for number, index in enumerate(rng.choice(served, 54, replace=False)):
        add(int(index), ["扩建", "盘活存量", "新建", "扩建", "租赁", "划拨"][number % 6])
    for index, community in enumerate(communities):
        if community.resettlement:
            add(index, "新建")
    return rows
