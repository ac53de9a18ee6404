"""The demo workspace: a small team's year of work, written for this project, with questions whose answers are known.

    manifest = generate(Path("demo-workspace"))
    manifest.questions[0].text, manifest.questions[0].paths

The texts lie in `texts/*.txt` (see `story.py` for their form); the modules beside this one turn them into files.
"""

from bowerbird.lab.workspace.generate import generate
from bowerbird.lab.workspace.manifest import Entry, Manifest, Question

__all__ = ["Entry", "Manifest", "Question", "generate"]
