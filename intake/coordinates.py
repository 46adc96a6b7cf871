"""Conversion between the coordinate systems a report may come in: WGS-84, GCJ-02 and CGCS2000.

Pure arithmetic on degrees, longitude first everywhere. Which grid a point lies in is told by places.py. BD-09 is not
read: no channel of ours receives it.
"""

from enum import StrEnum
from math import cos, isfinite, pi, sin, sqrt

from intake.errors import BadInput


class CoordSystem(StrEnum):
    """Where a pair of degrees comes from: phones give WGS-84, Chinese map services GCJ-02, surveyors CGCS2000."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    CGCS2000 = "cgcs2000"


class CoordinateError(BadInput, ValueError):
    """Degrees that name no place on earth, or a system we do not know. `field` is lon, lat or coord_sys."""


# GCJ-02 has no public definition. These are the Krasovsky 1940 ellipsoid (half axis in metres, eccentricity squared)
# and the polynomial known since 2010, as published by eviltransform and wandergis/coordtransform among others.
_AXIS_M = 6378245.0
_ECCENTRICITY_2 = 0.00669342162296594323
# The rectangle within which map services apply the offset: west, south, east, north.
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)
_INVERSE_DEG = 1e-10
_INVERSE_ROUNDS = 30


def is_outside_china(lon: float, lat: float) -> bool:
    """Whether no offset applies there. This is the rectangle map services use, not the border."""
    west, south, east, north = _CHINA
    return not (west <= lon <= east and south <= lat <= north)


def checked(lon: float, lat: float) -> tuple[float, float]:
    """The same degrees, or CoordinateError for NaN, infinity and anything beyond ±180 and ±90."""
    for field, value, limit in (("lon", lon, 180.0), ("lat", lat, 90.0)):
        if not isfinite(value) or abs(value) > limit:
            raise CoordinateError(field, "坐标不正确，请重新选择位置。")
    return lon, lat


def to_wgs84(lon: float, lat: float, *, system: str) -> tuple[float, float]:
    """WGS-84 degrees of a point given in `system` (a CoordSystem value). Raises CoordinateError.

    CGCS2000 passes unchanged: its ellipsoid differs from WGS-84 by at most 0.11 mm on the ground and its frame, ITRF97,
    agrees within centimetres (Wei Ziqing, "2000中国大地坐标系", 大地测量与地球动力学 28(6), 2008). Its epoch is
    2000.0, so the drift of the plate adds about 3 cm a year, still far below a phone's own error.
    """
    if system not in set(CoordSystem):
        raise CoordinateError("coord_sys", "不认识的坐标系，可用 wgs84、gcj02 或 cgcs2000。")
    if system == CoordSystem.GCJ02:
        return gcj02_to_wgs84(lon, lat)
    return checked(lon, lat)


def wgs84_to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 degrees for WGS-84 degrees; unchanged outside China. Raises CoordinateError."""
    checked(lon, lat)
    if is_outside_china(lon, lat):
        return lon, lat
    d_lon, d_lat = _offset(lon, lat)
    return lon + d_lon, lat + d_lat


def gcj02_to_wgs84(lon: float, lat: float) -> tuple[float, float]:
    """WGS-84 degrees for GCJ-02 degrees, exact to 1e-9 degrees; unchanged outside China. Raises CoordinateError.

    The offset changes by under 1 % of a step, so subtracting it at the last guess converges in a few rounds.
    """
    checked(lon, lat)
    if is_outside_china(lon, lat):
        return lon, lat
    guess_lon, guess_lat = lon, lat
    for _ in range(_INVERSE_ROUNDS):
        d_lon, d_lat = _offset(guess_lon, guess_lat)
        step = max(abs(lon - d_lon - guess_lon), abs(lat - d_lat - guess_lat))
        guess_lon, guess_lat = lon - d_lon, lat - d_lat
        if step < _INVERSE_DEG:
            break
    return guess_lon, guess_lat


def _offset(lon: float, lat: float) -> tuple[float, float]:
    """Degrees that GCJ-02 adds to a WGS-84 point."""
    x, y = lon - 105.0, lat - 35.0
    ripple = 20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north_m += (ripple + 20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north_m += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east_m += (ripple + 20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east_m += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    return _degrees_for(east_m, north_m, lat)


def _degrees_for(east_m: float, north_m: float, lat: float) -> tuple[float, float]:
    """Metres on the ellipsoid as degrees of longitude and latitude."""
    radians = lat / 180.0 * pi
    squash = 1.0 - _ECCENTRICITY_2 * sin(radians) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY_2) / (squash * sqrt(squash))
    parallel_m = _AXIS_M / sqrt(squash) * cos(radians)
    return east_m * 180.0 / (parallel_m * pi), north_m * 180.0 / (meridian_m * pi)
