"""Coordinate systems: points published with well-known conversions, and the way back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.coordinates import (
    CoordinateError,
    CoordSystem,
    checked,
    gcj02_to_wgs84,
    is_outside_china,
    to_wgs84,
    wgs84_to_gcj02,
)

# lon, lat in WGS-84 and in GCJ-02. The first three are the published test points of googollee/eviltransform
# (Shanghai, Shenzhen, Beijing), the last is the example of wandergis/coordtransform.
PUBLISHED = [
    (121.5272106, 31.1774276, 121.531541859215, 31.17530398364597),
    (113.912316, 22.543847, 113.9171764808363, 22.540796131694766),
    (116.377817, 39.911954, 116.38404722455657, 39.91334545536069),
    (116.404, 39.915, 116.41024449916938, 39.91640428150164),
]


@pytest.mark.parametrize(("lon", "lat", "gcj_lon", "gcj_lat"), PUBLISHED)
def test_published_points_convert_both_ways(lon: float, lat: float, gcj_lon: float, gcj_lat: float) -> None:
    assert wgs84_to_gcj02(lon, lat) == pytest.approx((gcj_lon, gcj_lat), abs=1e-9)
    assert gcj02_to_wgs84(gcj_lon, gcj_lat) == pytest.approx((lon, lat), abs=1e-9)


@given(st.floats(73.6, 135.0), st.floats(18.0, 53.5))
def test_the_way_back_is_exact_within_a_millionth_of_a_degree(lon: float, lat: float) -> None:
    there = wgs84_to_gcj02(lon, lat)
    assert gcj02_to_wgs84(*there) == pytest.approx((lon, lat), abs=1e-8)
    assert 0 < math.hypot(there[0] - lon, there[1] - lat) * 111_000 < 1500


def test_nothing_is_shifted_outside_china() -> None:
    for lon, lat in ((2.35, 48.85), (-74.0, 40.7), (139.7, 35.7), (151.2, -33.9)):
        assert is_outside_china(lon, lat)
        assert wgs84_to_gcj02(lon, lat) == (lon, lat) == gcj02_to_wgs84(lon, lat)
    assert not is_outside_china(116.4, 39.9)


def test_surveyed_and_satellite_degrees_pass_unchanged() -> None:
    assert to_wgs84(116.404, 39.915, system="cgcs2000") == (116.404, 39.915)
    assert to_wgs84(116.404, 39.915, system=CoordSystem.WGS84) == (116.404, 39.915)
    assert to_wgs84(116.404, 39.915, system="gcj02") == gcj02_to_wgs84(116.404, 39.915)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 180.5, -181.0])
def test_degrees_that_name_no_place_are_refused(value: float) -> None:
    for convert in (checked, wgs84_to_gcj02, gcj02_to_wgs84):
        with pytest.raises(CoordinateError) as refusal:
            convert(value, 30.0)
        assert refusal.value.field == "lon"
    with pytest.raises(CoordinateError) as refusal:
        to_wgs84(120.0, 90.5, system="wgs84")
    assert refusal.value.field == "lat"


def test_an_unknown_system_is_refused_by_name_of_the_field() -> None:
    with pytest.raises(CoordinateError) as refusal:
        to_wgs84(120.0, 30.0, system="bd09")
    assert refusal.value.field == "coord_sys"
    assert isinstance(refusal.value, ValueError)
