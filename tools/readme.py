"""Writes README.md from nbs/index.ipynb: its markdown cells, in order. The table of rooms is made from the
notebooks' own headings, in the index too. `--check` writes nothing and says whether both are current."""
import json, re, sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
index, readme = root/'nbs/index.ipynb', root/'README.md'

def prose(path):
    return '\n\n'.join(
        ''.join(c['source'])
        for c in json.loads(path.read_text(encoding='utf-8'))['cells']
        if c['cell_type'] == 'markdown'
    )

def rooms():
    "A row for each notebook: its name and its subtitle."
    rows = []
    for f in sorted((root/'nbs').glob('[0-9]*.ipynb')):
        sub = re.search(r'^> +(.+)$', prose(f), re.M)
        if not sub:
            sys.exit(
                f'{f.name} has no subtitle: a line "> …" below its heading says what the notebook is for'
            )
        rows.append(f"| [{f.stem}]({f.name}) | {re.sub(r': `[^`]*`$', '', sub[1].strip()).rstrip('.')} |")
    return rows

nb = json.loads(index.read_text(encoding='utf-8'))
for c in nb['cells']:
    lines = ''.join(c['source']).splitlines()
    if '| notebook | what it is for |' in lines:
        i = lines.index('| notebook | what it is for |') + 2
        j = next((k for k in range(i, len(lines)) if not lines[k].startswith('|')), len(lines))
        c['source'] = '\n'.join(lines[:i] + rooms() + lines[j:]).splitlines(keepends=True)
new_index = json.dumps(nb, indent=1, ensure_ascii=False) + '\n'
text = '\n\n'.join(''.join(c['source']) for c in nb['cells'] if c['cell_type'] == 'markdown') + '\n'
text = re.sub(r'\]\(\.\./', '](', text)                                    # links out of nbs/
text = re.sub(r'\]\((\d\d\w*\.ipynb)', r'](nbs/\1', text)                  # links to notebooks
if '--check' in sys.argv:
    if index.read_text(encoding='utf-8') != new_index:
        sys.exit(
            'the table of rooms in nbs/index.ipynb is not what the notebooks say: run python tools/readme.py'
        )
    if readme.read_text(encoding='utf-8') != text:
        sys.exit('README.md is not what nbs/index.ipynb says: run python tools/readme.py')
else:
    index.write_text(new_index, encoding='utf-8')
    readme.write_text(text, encoding='utf-8')
