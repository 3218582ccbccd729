"""Writes README.md from nbs/index.ipynb: its markdown cells, in order. `--check` only says whether README.md is current."""
import json, re, sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
cells = json.loads((root/'nbs/index.ipynb').read_text(encoding='utf-8'))['cells']
text = '\n\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'markdown') + '\n'
text = re.sub(r'\]\(\.\./', '](', text)                                    # links out of nbs/
text = re.sub(r'\]\((\d\d_\w+\.ipynb)', r'](nbs/\1', text)                 # links to notebooks
readme = root/'README.md'
if '--check' in sys.argv:
    if readme.read_text(encoding='utf-8') != text: sys.exit('README.md is not what nbs/index.ipynb says: run python docs/readme.py')
else: readme.write_text(text, encoding='utf-8')
