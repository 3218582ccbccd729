"""What several of these scripts need."""
import shutil
from pathlib import Path

root = Path(__file__).resolve().parent.parent
MADE = '.git', '.venv*', '_docs', '_proc', 'build', 'dist', 'runs', 'data', '*.egg-info', '__pycache__'


def copy_source(to):
    "A copy of the repository as it stands, without what was made in it."
    return shutil.copytree(root, to, ignore=shutil.ignore_patterns(*MADE))
