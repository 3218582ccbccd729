"""How the notebooks read, as far as that can be counted: `python tools/reading.py [NOTEBOOK …]` prints a table.

Runs of more than three code cells without prose, and code cells of more than 25 lines, are remarks. A notebook of 500 KB or
more, or one that was saved with an error, is a fault (exit code 1). Hidden cells are not counted: a reader of the docs does not see them."""
import json, re, sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
ROW, LONG, KB = 3, 25, 500

def look(path):
    "One row of the table: dict of counts, with where the remarks are."
    cells, run, runs, long, words, code = json.loads(path.read_text(encoding='utf-8'))['cells'], 0, [], [], 0, 0
    heading = '(top)'
    def close():
        if run > ROW: runs.append(f'{run} below "{heading}"')
    for c in cells:
        source = ''.join(c['source'])
        if c['cell_type'] == 'markdown':
            close(); run = 0; words += len(source.split())
            if h := re.findall(r'^#+ +(.+)$', source, re.M): heading = h[-1]
        elif c['cell_type'] == 'code':
            if re.match(r'#\| *(hide|default_exp)\b', source) or not source.strip(): continue
            run += 1; code += 1
            n = len([l for l in source.splitlines() if l.strip() and not l.startswith('#|')])
            if n > LONG: long.append(f'{n} lines below "{heading}"')
    close()
    return dict(name=path.name, kb=path.stat().st_size/1000, code=code, words=words, runs=runs, long=long,
                errors=sum(o['output_type'] == 'error' for c in cells for o in c.get('outputs', [])))

if __name__ == '__main__':
    paths = [Path(a) for a in sys.argv[1:]] or [*sorted((root/'nbs').glob('*.ipynb')), root/'the-reality.ipynb']
    rows = [look(p) for p in paths]
    print(f"{'notebook':28}{'KB':>5}{'code cells':>12}{'words':>8}{f'runs > {ROW}':>10}{f'cells > {LONG}':>12}")
    for r in rows: print(f"{r['name']:28}{r['kb']:5.0f}{r['code']:12}{r['words']:8}{len(r['runs']):10}{len(r['long']):12}")
    for r in rows:
        for what in r['runs']: print(f"{r['name']}: {what} without prose")
        for what in r['long']: print(f"{r['name']}: a cell of {what}")
    fat = [r['name'] for r in rows if r['kb'] >= KB]
    wrong = [r['name'] for r in rows if r['errors']]
    if fat: print(f'{KB} KB or more: ' + ', '.join(fat))
    if wrong: print('saved with an error: ' + ', '.join(wrong))
    sys.exit(bool(fat or wrong))
