"""Builds the docs site from the notebooks as they are saved, without the network: `python tools/build.py
[OUT]` → _docs/html.

The notebooks are read raw, with their outputs. nbdev's directives are carried out here, names in backticks
become links (nbdev's `NbdevLookup`), and each page ends with a reference of what its module exports
(fastcore's `DocmentTbl`). Sphinx then makes pages that can be read from disk. Needs the `dev` extra: pip
install -c constraints.txt -e ".[dev]"
"""
import ast, contextlib, importlib, inspect, io, json, os, re, shutil, sys, tempfile, textwrap
from configparser import ConfigParser
from importlib import metadata
from inspect import getdoc, isclass, signature
from pathlib import Path

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))
os.environ.update(COLUMNS='100', MPLBACKEND='Agg')      # --help is as wide as a page here

try:
    from fastcore.docments import DocmentTbl
    from nanodit.files import make_parser
    from nbdev.doclinks import NbdevLookup
    from mdit_py_plugins.anchors.index import slugify
    from sphinx.cmd.build import build_main
except ImportError as e: raise SystemExit(f'{e.name} is not installed: pip install -c constraints.txt -e '
                                          f'".[dev]"') from None

# read first; a plot's code is folded from so many lines on
FIRST, LONG = ['the-reality.ipynb'], 12
ini = ConfigParser(delimiters=['='])
ini.read(root/'settings.ini', encoding='utf-8')
ini = ini['DEFAULT']

# ---------------------------------------------------------------- notebooks

def directives(source):
    "A cell's `#|` lines at its top as {name: text}, and the source below them."
    found, lines = {}, source.splitlines()
    while lines and (m := re.match(r'\s*#\s*\|\s*([\w-]+)\s*:?\s*(.*)', lines[0])):
        found[m[1].replace('-', '_')] = m[2].strip()
        lines.pop(0)
    return found, '\n'.join(lines).strip('\n')

def notebooks():
    "All notebooks in reading order: the-reality, then by number, as the folder has them."
    return [root/f for f in FIRST if (root/f).is_file()] + sorted((root/'nbs').glob('[0-9]*.ipynb'))

def cells_of(path):
    nb = json.loads(path.read_text(encoding='utf-8'))
    for c in nb['cells']: c['source'] = ''.join(c['source'])
    return one_title(nb)

def module_of(nb):
    "The module that a notebook exports, or None."
    for c in nb['cells']:
        if c['cell_type'] == 'code' and (m := directives(c['source'])[0].get('default_exp')): return m

def headings(nb):
    "Slugs of a notebook's headings as MyST makes them, heading text -> slug."
    out, seen = {}, {}
    for c in nb['cells']:
        if c['cell_type'] != 'markdown': continue
        for m in re.finditer(r'^#{1,4} +(.+?)\s*$', unfenced(c['source']), re.M):
            text = re.sub(r'[`*]', '', m[1])
            slug = slugify(text)
            n = seen.get(slug, 0)
            seen[slug] = n + 1
            out.setdefault(text, slug if not n else f'{slug}-{n}')
    return out

# ---------------------------------------------------------------- names and links

def anchor(name):
    "The anchor of `module.Name.method`; anchors do not tell capitals, so a class says that it is one."
    return 'api-' + re.sub(r'[^\w]+', '-', re.sub(r'\.([A-Z])', r'.class-\1', name)).lower()

class Lookup(NbdevLookup):
    "nbdev's lookup, with links between the pages of this site."
    def __init__(self, public): self.syms, self.aliases, self.page = public, {}, ''
    def doc(self, sym):
        return self.syms.get(sym) or self.syms.get(sym.removeprefix('nanodit.').partition('.')[2])
    def link_line(self, line):
        if line.startswith('#'): return line
        return re.sub(r'(?<![\[`])`([A-Za-z_][\w.]*)(?:\(\))?`(?![\]`])', self._link_sym, line)

class Site:
    "What all pages need to know of each other."
    def __init__(self):
        self.books = {p.stem: cells_of(p) for p in notebooks()}
        self.slugs = {s: headings(nb) for s, nb in self.books.items()}
        self.modules = {m: s for s, nb in self.books.items() if (m := module_of(nb))}
        self.public = {m: public(importlib.import_module(f'nanodit.{m}')) for m in self.modules}
        links = {}
        for m, names in self.public.items():                # a name of two modules belongs to none: no link
            for n in names: links[n] = None if n in links or n == 'main' else f'#{anchor(f"{m}.{n}")}'
        self.lookup = Lookup({k: v for k, v in links.items() if v})
        reality = '\n'.join(
            c['source']
            for c in self.books.get('the-reality', {}).get('cells', [])
            if c['cell_type'] == 'markdown'
        )
        self.plan = set(re.findall(r'^\*\*([A-G]\.\d+)\b', reality, re.M))
        # files that pages link to and that are copied beside them
        self.files = {}

    def href(self, target, at):
        "A link as it stands in the repository, at the file `at`, as it has to be on the site."
        path, _, frag = target.partition('#')
        if re.match(r'[a-z]+:', target): return target
        if not path: return f'#{slugify(frag.replace("-", " "))}'
        file = (at.parent/path).resolve()
        try: rel = file.relative_to(root)
        except ValueError: return target
        if rel.suffix == '.ipynb' and (rel.stem in self.books or rel.stem == 'index'):
            return (
                f'{rel.stem}.md'
                if rel.stem == 'index'
                else f'{rel.stem}.ipynb' + (f'#{slugify(frag.replace("-", " "))}' if frag else '')
            )
        page = {
            'README.md': 'index.md',
            'CHANGELOG.md': 'changelog.md',
            'CONTRIBUTING.md': 'contributing.md',
        }.get(str(rel))
        if page: return page + (f'#{frag}' if frag else '')
        if rel.parts[:1] == ('nanodit',) and rel.stem in self.modules:
            return f'{self.modules[rel.stem]}.ipynb'
        if rel.parts[:1] == ('configs',) and rel.suffix == '.yaml': return f'recipes.md#{rel.stem}'
        if file.is_file():
            self.files[str(rel)] = file
            return str(rel)
        if file.is_dir():
            return {'nbs': 'index.md#the-rooms', 'configs': 'recipes.md'}.get(
                str(rel), f"{ini['git_url']}/tree/{ini['branch']}/{rel}"
            )
        return target                                       # Sphinx says that it is missing

    def markdown(self, text, at):
        "Markdown of the repository as the site needs it: links, callouts, names and plan items."
        out = []
        for i, part in enumerate(re.split(r'(^```.*?^```[ \t]*$|^\$\$.*?\$\$)', text, flags=re.M | re.S)):
            if i % 2 == 0:
                part = re.sub(
                    r'\[([^\]]*)\]\((nbs/(\w+)\.ipynb)\), under \*([^*]+)\*', self._evidence_link, part
                )
                part = re.sub(
                    r'(\]\()([^)\s]+)((?:\s+"[^"]*")?\))', lambda m: m[1] + self.href(m[2], at) + m[3], part
                )
                part = re.sub(r'^:::+ *\{\.callout-(\w+)[^}]*\}', r':::{\1}', part, flags=re.M)
                if at.stem == 'the-reality':
                    anchor = lambda m: f'({plan_anchor(m[1])})=\n\n{m[0]}'
                    part = re.sub(r'^\*\*([A-G]\.\d+)\b', anchor, part, flags=re.M)
                else:
                    part = re.sub(r'(?<![\[#\w])([Pp]lan )([A-G]\.\d)\b(?![^\[\n]*\])', self._plan_link, part)
                part = self.lookup.linkify(part) or ''
                if not part and i == 0: continue
            out.append(part)
        return (
            '\n'.join(p.strip('\n') if i % 2 else p for i, p in enumerate(out))
            if len(out) > 1
            else ''.join(out)
        )

    def _plan_link(self, m):
        return (
            f'[{m[0]}](#{plan_anchor(m[2])})'
            if m[2] in self.plan and not m.string[: m.start()].rpartition('\n')[2].startswith('#')
            else m[0]
        )
    def _evidence_link(self, m):
        slug = self.slugs.get(m[3], {}).get(re.sub(r'[`*]', '', m[4]))
        return f'[{m[3]}, *{m[4]}*]({m[2]}#{slug})' if slug else m[0]

def plan_anchor(item): return 'plan-' + item.lower().replace('.', '-')

# ---------------------------------------------------------------- the reference at the end of a page

def public(module):
    """What a module defines under a name without underscore: {name: object}, methods added by `patch` as
    Class.method."""
    out = {}
    for node in ast.parse(Path(module.__file__).read_text(encoding='utf-8')).body:
        name = getattr(node, 'name', '_')
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or name == 'main': continue
        if any('patch' in ast.unparse(d) for d in node.decorator_list):
            owner = next((ast.unparse(a.annotation) for a in node.args.args[:1] if a.annotation), None)
            if owner and owner in vars(module) and not name.startswith('_') and not owner.startswith('_'):
                out[f'{owner}.{name}'] = vars(vars(module)[owner]).get(name)
        elif not name.startswith('_'):
            out[name] = getattr(module, name, None)
            if isinstance(node, ast.ClassDef):
                for n in node.body:
                    if isinstance(n, ast.FunctionDef) and not n.name.startswith('_'):
                        out[f'{name}.{n.name}'] = vars(out[name]).get(n.name)
    return {k: v for k, v in out.items() if v is not None}

def plain(o):
    """The function behind a property, a cached one, a class or static method, fastcore's patched class
    method, a wrapper."""
    return next(
        (f for a in ('fget', '__func__', 'func', '__wrapped__', 'f') if callable(f := getattr(o, a, None))), o
    )

def type_name(t):
    "A type as one writes it: without the module it comes from."
    return re.sub(
        r'\b(?:\w+\.)+(?=\w)',
        '',
        t
        if isinstance(t, str)
        else getattr(t, '__name__', str(t))
        if isclass(t) and '[' not in str(t)
        else str(t),
    )

def table(obj, link=str):
    """The parameters of a function, or of a class's __init__, and what it returns, as a markdown table; ''
    where there is nothing to say."""
    try: tbl = DocmentTbl(obj)
    except Exception: return ''
    if not tbl.has_docment: return ''
    cols = tbl._columns                                     # those that some parameter fills
    show = dict(
        anno=lambda v: escape_doc(type_name(v)),
        default=lambda v: f'`{v!r}`',
        docment=lambda v: link(escape_doc(' '.join(str(v).split()))),
    )
    rows = [['', *cols.values()], ['---'] * (len(cols) + 1)]
    names = [p for p in tbl.params if p not in ('self', 'cls') and p in tbl.dm] + ['return'] * tbl.has_return
    for name in names:
        got = tbl.dm[name]
        rows.append(
            [
                f'`{name}`' if name != 'return' else '*returns*',
                *(
                    ''
                    if got.get(k) in (None, inspect._empty)
                    and k != 'default'
                    or got.get(k, inspect._empty) is inspect._empty
                    else show[k](got[k])
                    for k in cols
                ),
            ]
        )
    return '\n'.join('| ' + ' | '.join(re.sub(r'(?<!\\)\|', r'\\|', c) for c in r) + ' |' for r in rows)

def one_line_signature(name, obj):
    try: sig = signature(obj)
    except (ValueError, TypeError): return name
    sig = sig.replace(
        parameters=[
            p.replace(annotation=p.empty) for n, p in sig.parameters.items() if n not in ('self', 'cls')
        ],
        return_annotation=sig.empty,
    )
    text = re.sub(r'<(?:function|class) ([\w.<>\']+)[^>]*>', r'\1', f'{name}{sig}')
    return (
        text
        if len(text) < 110
        else '\n'.join(textwrap.wrap(text, 100, subsequent_indent='    ', break_long_words=False))
    )

def reference(site, module):
    "Markdown cells that list what a module exports."
    out, link = [], lambda text: site.markdown(text, root/'nbs/index.ipynb')
    for name, obj in site.public[module].items():
        fn = plain(obj)
        if not callable(fn): continue
        kind = 'property' if isinstance(obj, property) else 'class' if isclass(fn) else ''
        # a class without one would show its parent's
        doc = escape_doc(getdoc(fn) or '') if not isclass(fn) or vars(fn).get('__doc__') else ''
        sig = name if kind == 'property' else one_line_signature(name, fn)
        parts = [
            f'({anchor(f"{module}.{name}")})=',
            f'### `{name}`',
            f'```python\n{sig}\n```' if sig != name else '',
            link(doc),
            table(fn, link),
        ]
        out.append('\n\n'.join(p for p in parts if p))
    return out

def escape_doc(text):
    return re.sub(r'`[^`]*`|[*_<>$]', lambda m: m[0] if len(m[0]) > 1 else '\\' + m[0], text)

# ---------------------------------------------------------------- pages

def md(text, **meta): return dict(cell_type='markdown', metadata=meta, source=text)

def clean_outputs(outputs):
    "Saved outputs without widgets (they are dead on a page) and without what stands for them in text."
    out = []
    for o in outputs:
        data = o.get('data')
        if data is not None:
            if any('widget' in k for k in data): continue
            o = {**o, 'data': {k: v for k, v in data.items() if not (k == 'text/plain' and len(data) > 1)}}
        elif o.get('name') == 'stderr' and re.search(r'\d+%\|', ''.join(o.get('text', ''))): continue
        out.append(o)
    return out

def page(site, stem, path):
    "A notebook as the site shows it."
    nb, cells = site.books[stem], []
    module = module_of(nb)
    for c in nb['cells']:
        if c['cell_type'] == 'markdown':
            cells.append({**c, 'source': site.markdown(c['source'], path)})
            continue
        if c['cell_type'] != 'code': continue
        d, source = directives(c['source'])
        if 'hide' in d or 'default_exp' in d or not source: continue
        outputs = clean_outputs(c.get('outputs', []))
        picture = any(k.startswith('image/') for o in outputs for k in o.get('data', {}))
        exported = any(k in d for k in ('export', 'exports', 'exporti'))
        tags = ['exported' if exported else 'plain']
        if d.get('output') == 'false' or 'hide_output' in d: outputs = []
        if d.get('echo') == 'false' or 'hide_input' in d:
            tags.append('remove-input')
        elif (
            d.get('code_fold', '') in ('true', 'show')
            or (picture and not exported and source.count('\n') >= LONG)
            or imports_only(source)
        ):
            tags.append('hide-input')
        if 'slow' in d: tags.append('slow')
        if 'cuda' in d: tags.append('cuda')
        if prose_output(outputs): tags.append('wrap')
        for claim in re.findall(r'^#\| claim: (.*)$', c['source'], re.M) if 'claim' in d else ():
            m = re.match(r'([A-G]\.\d+)\s+(matches|differs|not yet)\s*[—–-]+\s*(.*)', claim)
            if m:
                cells.append(
                    md(
                        f'**[Plan {m[1]}](#{plan_anchor(m[1])})** *{m[2]}:* {escape_doc(m[3])}'
                        if m[1] in site.plan
                        else f'**Plan {m[1]}** *{m[2]}:* {escape_doc(m[3])}',
                        tags=['claim'],
                    )
                )
        cells.append(
            dict(
                cell_type='code',
                metadata={'tags': tags},
                source=source,
                outputs=outputs,
                execution_count=None,
            )
        )
    if module and site.public[module]:
        cells.append(
            md(
                f'## Reference: `nanodit.{module}`\n\nWhat `from nanodit.{module} import …` gives. Shapes '
                f'are written as in the code: `B` is the batch, `C, h, w` a latent.'
            )
        )
        cells += [md(site_text) for site_text in reference(site, module)]
    for i, c in enumerate(cells): c['id'] = f'c{i}'
    return dict(
        cells=cells,
        metadata={
            'kernelspec': {'name': 'python3', 'display_name': 'Python 3', 'language': 'python'},
            'language_info': {'name': 'python', 'pygments_lexer': 'ipython3'},
        },
        nbformat=4,
        nbformat_minor=5,
    )

def prose_output(outputs):
    """Was something long printed that is a sentence, such as an error's message? Those are wrapped; what
    stands in columns scrolls."""
    lines = [
        l
        for o in outputs
        for l in ''.join(o.get('text') or o.get('data', {}).get('text/plain') or '').splitlines()
    ]
    return any(len(l) > 100 for l in lines) and not any(re.search(r'\S {2,}\S', l) for l in lines)

def imports_only(source):
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    return source.count('\n') > 3 and all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in tree.body)

def one_title(nb):
    """Further H1 of a notebook would be pages of their own in the side bar: everything below the first one
    goes down a level."""
    level_one = [
        c
        for c in nb['cells']
        if c['cell_type'] == 'markdown' and re.search(r'^# ', unfenced(c['source']), re.M)
    ]
    first = level_one[0] if level_one else None
    if len(level_one) < 2 and (not first or len(re.findall(r'^# ', unfenced(first['source']), re.M)) < 2):
        return nb
    ones = 0
    for c in nb['cells']:
        if c['cell_type'] != 'markdown': continue
        lines, fence = c['source'].splitlines(), False
        for i, l in enumerate(lines):
            if l.startswith('```'): fence = not fence
            elif not fence and re.match(r'#{1,5} ', l):
                ones += l.startswith('# ')
                if ones > 1: lines[i] = '#' + l
        c['source'] = '\n'.join(lines)
    return nb

def unfenced(text): return re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)

def title(stem, nb):
    "A page's name in the side bar: its number and its heading."
    text = next(
        (
            m[1]
            for c in nb['cells']
            if c['cell_type'] == 'markdown' and (m := re.search(r'^# +(.+)$', c['source'], re.M))
        ),
        stem,
    )
    number = re.match(r'\d+\w?(?=_)', stem)
    text = re.sub(r'[`*]', '', text)
    return text if not number else f"{number[0]} · {re.sub(r'^[0-9]+[a-z]?[ ·.:]+', '', text)}"

def toctree(caption, entries):
    return '\n'.join(['```{toctree}', ':hidden:', f':caption: {caption}', '', *entries, '```']) + '\n'

def home(site):
    "The front page: README, and below it what the side bar lists."
    index = root/'nbs/index.ipynb'
    text = '\n\n'.join(c['source'] for c in cells_of(index)['cells'] if c['cell_type'] == 'markdown')
    text = site.markdown(text, index)
    first = [s for s in site.books if f'{s}.ipynb' in FIRST]
    rest = [s for s in site.books if s not in first]
    legend = (
        '## Reading these pages\n\nThe notebooks stand here as they were saved, with their outputs. Code '
        'with a coloured edge on its left is what the package '
        'contains; the rest tests it or shows it. Each page ends with a reference of its module.'
    )
    return '\n\n'.join(
        [
            text,
            legend,
            toctree('Know', [*first, 'recipes', 'commands']),
            toctree('Read', [f'{title(s, site.books[s])} <{s}>' for s in rest]),
            toctree('Project', ['changelog', 'contributing']),
        ]
    )

def commands():
    "Each command's --help, as it is now."
    parts = [
        '# The command line',
        '> Every command with its options, as its own `--help` prints them',
        'Each command is installed with the package, and is also a module: `nanodit-train` is `python -m '
        'nanodit.train`. '
        'Wrong input ends with one message and exit code 2; a run that an alarm stopped ends with 3; one '
        'that a signal stopped, and that the same command resumes, with 75.',
    ]
    missing = []
    for line in ini['console_scripts'].split('\n'):
        if '=' not in line: continue
        name, _, where = line.strip().partition('=')
        mod, fn = where.split(':')
        try: main = getattr(importlib.import_module(mod), fn)
        except (ImportError, AttributeError) as e:
            missing.append(f'{name} ({e})')
            continue
        text = make_parser(getattr(main, '__wrapped__', main), prog=name).format_help()
        parts += [f'## {name}', f'```text\n{text.rstrip()}\n```']
    if missing: raise SystemExit('settings.ini names commands that are not there: ' + '; '.join(missing))
    return '\n\n'.join(parts) + '\n'

def recipes():
    "The recipes with their comments, and what --dry-run says of them where there is such an option."
    from nanodit.config import load_config
    from nanodit.train import main
    dry = (
        '--dry-run'
        in (help := make_parser(getattr(main, '__wrapped__', main), prog='nanodit-train').format_help())
        or '--dry_run' in help
    )
    parts = [
        '# Recipes',
        '> The files in `configs/`, each key with its reason',
        'Start one with `nanodit-train NAME`, or copy it and change it. Every key of every section, with its '
        'range and its default, is listed in [22_config](22_config.ipynb).',
    ]
    order = ['tiny', 'overfit100', 'small', 'medium', 'production']
    files = sorted(
        (root / 'configs').glob('*.yaml'),
        key=lambda p: (order.index(p.stem) if p.stem in order else 99, p.stem),
    )
    for f in files:
        parts += [f'## {f.stem}', f'```yaml\n{f.read_text(encoding="utf-8").rstrip()}\n```']
        data = load_config(f).data
        more = [] if data.buckets else ['data.buckets=[512x512]']       # it takes whichever it finds
        gpu = '' if data.shapes else GPU                                # made for a CPU
        if dry and (text := dry_run(f.stem, more, gpu)):
            parts += [
                f'What `{" ".join(["nanodit-train", f.stem, *more])} --dry-run{gpu and f" --gpu {gpu!r}"}` '
                f'said when these pages were built:',
                f'```text\n{text}\n```',
            ]
    return '\n\n'.join(parts) + '\n'

GPU = 'RTX 4090'

def dry_run(recipe, more, gpu):
    "What `nanodit-train RECIPE MORE --dry-run` prints where there is no data set and no earlier run."
    from nanodit.train import main
    out = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as empty,
        contextlib.chdir(empty),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
    ):
        try:
            getattr(main, '__wrapped__', main)(
                str(root / 'configs' / f'{recipe}.yaml'), more, dry_run=True, gpu=gpu
            )
        except SystemExit as e:
            if e.code:
                raise SystemExit(
                    f'nanodit-train {recipe} --dry-run ended with {e.code}:\n{out.getvalue()[-2000:]}'
                ) from None
    return out.getvalue().rstrip()

def write_pages(src):
    "Everything that Sphinx reads, in `src`."
    shutil.rmtree(src, ignore_errors=True)
    src.mkdir(parents=True)
    site = Site()
    for p in notebooks():
        (src / p.name).write_text(json.dumps(page(site, p.stem, p), ensure_ascii=False), encoding='utf-8')
    pages = {'index.md': home(site), 'commands.md': commands(), 'recipes.md': recipes()}
    for name in ('CHANGELOG', 'CONTRIBUTING'):
        if (root / f'{name}.md').is_file():
            pages[f'{name.lower()}.md'] = site.markdown(
                (root / f'{name}.md').read_text(encoding='utf-8'), root / f'{name}.md'
            )
    for name, text in pages.items(): (src/name).write_text(text, encoding='utf-8')
    for rel, file in site.files.items():
        (src/rel).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, src/rel)
    for name in ('static',):
        (shutil.copytree if (root/'docs'/name).is_dir() else shutil.copy)(root/'docs'/name, src/name)
    return site

def main(out):
    src = out/'src'
    site = write_pages(src)
    shutil.rmtree(out/'html', ignore_errors=True)
    code = build_main(
        [
            '-W',
            '--keep-going',
            '-q',
            '-c',
            str(root / 'docs'),
            '-d',
            str(out / 'doctrees'),
            '-b',
            'html',
            str(src),
            str(out / 'html'),
        ]
    )
    if code: raise SystemExit(code)
    mathjax = next(f for f in metadata.files('sphinx-mathjax-offline') if f.name == 'tex-svg-full.js')
    shutil.copy(mathjax.locate(), out/'html/_static')
    print(
        f"{len(site.books)} notebooks, {len(list((out / 'html').glob('*.html')))} pages: "
        f"{out / 'html/index.html'}"
    )

if __name__ == '__main__': main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else root/'_docs')
