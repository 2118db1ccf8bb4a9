"""All commands about the house."""

from typing import Final

from switch.admin.house_number_commands import NUMBER_COMMANDS
from switch.admin.house_people_commands import PEOPLE_COMMANDS
from switch.admin.house_plan_commands import PLAN_COMMANDS
from switch.admin.house_site_commands import SITE_COMMANDS

COMMANDS: Final = (*PEOPLE_COMMANDS, *NUMBER_COMMANDS, *SITE_COMMANDS, *PLAN_COMMANDS)
"""`kinline person|pan|number|privileged|terminal|trunk|facility|unit|gateway|lockdown|why …`."""
