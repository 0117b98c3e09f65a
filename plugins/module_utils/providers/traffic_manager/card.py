# Copyright: LLM Verifier contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure Traffic Manager can do, and how it draws the world."""

from __future__ import annotations

from ...routing.countries import COUNTRIES
from ...routing.records import Card

_GROUPINGS = {
    "GEO-EU": (
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD "
        "ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA"
    ),
    "GEO-ME": "AE BH IL IQ IR JO KW LB OM PS QA SA SY TR YE",
    "GEO-NA": (
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX "
        "TC TT UM US VC VG VI"
    ),
    "GEO-AS": (
        "AF AM AZ BD BN BT CC CN CX GE HK ID IN IO JP KG KH KP KR KZ LA LK MM MN MO MV MY NP PH PK SG TH TJ TL TM "
        "TW UZ VN"
    ),
    "GEO-AF": (
        "AO BF BI BJ BV BW CD CF CG CI CM CV DJ DZ EG ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ "
        "NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW"
    ),
    "GEO-AN": "AQ",
    "GEO-SA": "AR BO BR CL CO EC FK GF GS GY PE PY SR UY VE",
    "GEO-AP": "AS AU CK FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV VU WF WS",
}

GROUPINGS: dict[str, str] = {code: name for name, codes in _GROUPINGS.items() for code in codes.split()}
"""Country to its regional grouping: "Country/Region hierarchy used by Azure Traffic Manager", fixed by Azure.

The Middle East is no part of Asia here, and XE, XJ, XK and XS, which ISO 3166 doesn't have, are left out.
"""

WORLD = "WORLD"

CARD = Card(
    name="traffic_manager",
    layer="dns",
    ordered=True,
    shares=False,
    weights_runtime=False,
    native_checks=True,
    degraded_ttl=False,
    maximum_regions=197,  # 200 endpoints a profile: the edges, the regions, the last resort, the static site
    unsupported_countries=tuple(code for code in COUNTRIES if code not in GROUPINGS),
    source="Azure Traffic Manager: routing methods, country/region hierarchy, endpoint monitoring, nested profiles",
)
