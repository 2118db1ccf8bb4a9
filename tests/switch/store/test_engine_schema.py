"""The revisions of the schema, by their names and by alembic."""

import subprocess
import sys

from switch.store import engine_schema, engine_upgrade


def test_the_names_of_the_scripts_are_their_revisions_in_order() -> None:
    walked = [script.revision for script in engine_upgrade.scripts().walk_revisions()]
    assert engine_schema.revisions() == walked[::-1]
    assert engine_schema.revisions()[-1] == engine_upgrade.scripts().get_current_head()


def test_a_start_without_a_migration_does_not_import_alembic() -> None:
    code = "import switch.app, sys; print('alembic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
