"""How much there is to read, and how it reads: `python tools/reading.py [NOTEBOOK …]`.

Two tables, of the package's modules and of the notebooks, then the faults, each with its place. Exit code 1
if there are any. A *use* is a visible, unexported code cell that calls a name exported in that notebook and
has an output or an assertion.
"""
import ast
import json
import re
import statistics
import sys
import tokenize
from pathlib import Path

root = Path(__file__).resolve().parent.parent
TARGETS = dict(
    flow=130,
    model=270,
    sampler=75,
    files=130,
    shards=330,
    latents=110,
    augment=115,
    data=320,
    encoders=300,
    shapes=215,
    config=290,
    photos=190,
    prepare=290,
    emoji=60,
    check=120,
    ema=130,
    checkpoint=280,
    runlog=240,
    monitor=180,
    pictures=180,
    validate=290,
    distributed=190,
    estimate=150,
    trainer=200,
    train=240,
    generate=140,
    bench=150,
    reality=250,
)
LINES, NODES = 6138, 59_600           # of the whole package, `_modidx` left out
WIDTH = 110                           # characters of a line
MEDIAN, LONGEST, UNUSED = 15, 40, 80  # lines of an exported cell; exported lines without a use
USES = 1.5                            # uses per exported cell
HIDDEN = 10                           # lines of a hidden cell
NESTED = 10                           # comprehensions inside comprehensions, in all
KB = 500                              # size of a notebook
COMPREHENSIONS = ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp


def module(path):
    "One row of the package's table."
    source = path.read_text(encoding='utf-8')
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    longest = max(functions, key=lambda f: f.end_lineno - f.lineno, default=None)
    with open(path, 'rb') as f: semicolons = sum(t.string == ';' for t in tokenize.tokenize(f.readline))
    lines = source.splitlines()
    body = re.sub(r'^__all__ = \[.*?\]$', '', source, flags=re.M | re.S)      # nbdev writes that one
    return dict(
        name=path.stem, lines=len(lines), nodes=sum(1 for _ in ast.walk(tree)),
        longest=f'{longest.name} {longest.end_lineno - longest.lineno + 1}' if longest else '',
        wide=sum(len(l) > WIDTH for l in body.splitlines()), semicolons=semicolons)


def has(source, *directives):
    "Whether a cell carries one of the directives."
    return bool(re.search(rf'^#\| *({"|".join(directives)})\b', source, re.M))


def parse(source):
    "The syntax tree of a cell, magics left out."
    return ast.parse('\n'.join('' if re.match(r'\s*[%!]', l) else l for l in source.splitlines()))


def names(tree):
    "What an exported cell defines: functions, classes, their methods, constants."
    defined = {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    targets = [t for n in tree.body if isinstance(n, ast.Assign) for t in n.targets]
    return defined | {t.id for t in targets if isinstance(t, ast.Name)}


def uses(cell, tree, exported):
    "Whether a cell calls one of the exported names and shows or asserts something."
    called = {n.func for n in ast.walk(tree) if isinstance(n, ast.Call)}
    called = {f.attr if isinstance(f, ast.Attribute) else getattr(f, 'id', None) for f in called}
    # f, in map(f, …) or test_fail(f)
    handed = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    checks = any(isinstance(n, ast.Assert) for n in ast.walk(tree)) or any(
        str(c).startswith('test_') for c in called
    )
    return bool((called | handed) & exported) and (checks or bool(cell['outputs']))


def notebook(path):
    "One row of the notebooks' table, with its faults."
    cells = [c for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code']
    row = dict(
        name=path.name,
        kb=path.stat().st_size / 1000,
        exported=[],
        uses=0,
        unused=0,
        tries=0,
        nested=0,
        faults=[],
    )
    sources = [''.join(c['source']) for c in cells]
    exported = set().union(*(names(parse(s)) for s in sources if has(s, 'exports?')))
    run = 0
    for cell, source in zip(cells, sources):
        tree, where = parse(source), f"{path.name}, cell {cell['id']}"
        size = sum(bool(l.strip()) and not l.startswith('#|') for l in source.splitlines())
        if any(o['output_type'] == 'error' for o in cell['outputs']):
            row['faults'].append(f'{where}: saved with an error')
        if has(source, 'exports?'):
            if all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in tree.body): continue
            run += size
            row['exported'].append(size)
            row['unused'] = max(row['unused'], run)
            row['tries'] += len(re.findall(r'^\s*(?:try|finally|except[^:\n]*): *[^\s#]', source, re.M))
            inner = [n for n in ast.walk(tree) if isinstance(n, COMPREHENSIONS)]
            row['nested'] += sum(
                any(isinstance(m, COMPREHENSIONS) for m in ast.walk(n) if m is not n) for n in inner
            )
            if size > LONGEST:
                row['faults'].append(f'{where}: {size} exported lines in one cell, at most {LONGEST}')
        elif has(source, 'hide'):
            if size > HIDDEN: row['faults'].append(f'{where}: {size} hidden lines, at most {HIDDEN}')
        elif uses(cell, tree, exported):
            run = 0
            row['uses'] += 1
    if row['kb'] >= KB: row['faults'].append(f'{path.name}: {row["kb"]:.0f} KB, at most {KB}')
    if row['unused'] > UNUSED:
        row['faults'].append(f'{path.name}: {row["unused"]} exported lines before a use, at most {UNUSED}')
    if row['tries']:
        row['faults'].append(
            f"{path.name}: {row['tries']} of try, except, finally with code on the same line"
        )
    return row


def table(header, rows):
    "Print columns: the first to the left, the others to the right."
    cells = [header, *rows]
    widths = [max(len(str(r[i])) for r in cells) for i in range(len(header))]
    for r in cells:
        print(str(r[0]).ljust(widths[0]), *(str(v).rjust(w) for v, w in zip(r[1:], widths[1:])), sep='  ')
    print()


def show_modules(rows):
    "Print the package's table; return its faults."
    columns = 'name', 'lines', 'target', 'nodes', 'wide', 'semicolons', 'longest'
    total = {k: sum(r[k] for r in rows) for k in ('lines', 'nodes', 'wide', 'semicolons')}
    rows = [r | dict(target=TARGETS.get(r['name'], '')) for r in rows]
    rows.append(total | dict(name='in all', target=LINES, longest=''))
    table(('module', *columns[1:-1], 'longest function'), [[r[c] for c in columns] for r in rows])
    most = dict(lines=LINES, nodes=NODES, wide=0, semicolons=0)
    return [f'the package: {total[k]} {k}, at most {n}' for k, n in most.items() if total[k] > n]


def show_notebooks(rows):
    "Print the notebooks' table; return its faults."
    table(
        ('notebook', 'KB', 'exported cells', 'median lines', 'most', 'uses', 'lines before a use'),
        [[r['name'], f"{r['kb']:.0f}", len(r['exported']), statistics.median(r['exported'] or [0]),
          max(r['exported'], default=0), r['uses'], r['unused']] for r in rows])
    sizes = [n for r in rows for n in r['exported']] or [0]
    ratio = sum(r['uses'] for r in rows if r['exported']) / len(sizes)
    nested, middle = sum(r['nested'] for r in rows), statistics.median(sizes)
    print(
        f'in all: {ratio:.2f} uses per exported cell, {middle:g} lines in the median, {nested} nested '
        f'comprehensions'
    )
    faults = [fault for r in rows for fault in r['faults']]
    if ratio < USES: faults.append(f'{ratio:.2f} uses per exported cell, at least {USES}')
    if middle > MEDIAN: faults.append(f'exported cells have {middle:g} lines in the median, at most {MEDIAN}')
    if nested > NESTED: faults.append(f'{nested} comprehensions inside comprehensions, at most {NESTED}')
    return faults


if __name__ == '__main__':
    given = [Path(a) for a in sys.argv[1:]]
    paths = given or [*sorted((root/'nbs').glob('*.ipynb')), root/'the-reality.ipynb']
    modules = [] if given else [p for p in sorted((root/'nanodit').glob('*.py')) if p.stem != '_modidx']
    faults = show_modules([module(p) for p in modules]) if modules else []
    faults += show_notebooks([notebook(p) for p in paths])
    for fault in faults: print(fault)
    sys.exit(bool(faults))
