"""Checks links without the network: `python tools/links.py [SITE]`.

Always: README and the other pages of the repository, and the notebooks' prose. A relative link must lead to
a file that git knows, and its `#anchor` to a heading there, by GitHub's rule; an external link is only
looked at for its form (a file on GitHub at a commit, which stays), because nothing outside can be reached
from everywhere. With SITE, the folder of the built docs: LinkChecker follows every link of every page, and
the anchors are looked up.
"""
import json, re, subprocess, sys, threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse

root = Path(__file__).resolve().parent.parent

def prose(path):
    "The markdown of a file, without code."
    text = path.read_text(encoding='utf-8')
    if path.suffix == '.ipynb':
        text = '\n\n'.join(
            ''.join(c['source']) for c in json.loads(text)['cells'] if c['cell_type'] == 'markdown'
        )
    return text

def bare(text): return re.sub(r'`[^`\n]*`', '', re.sub(r'^(```|~~~).*?^\1', '', text, flags=re.M | re.S))

def anchors(path):
    "The anchors of a page's headings: GitHub's in markdown files; Jupyter's too in notebooks."
    out = {}
    for h in re.findall(
        r'^#{1,6} +(.+?)\s*#*$', re.sub(r'^(```|~~~).*?^\1', '', prose(path), flags=re.M | re.S), re.M
    ):
        h = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', h).replace('`', '').replace('*', '')
        slug = re.sub(r'[^\w\- ]', '', h.lower()).replace(' ', '-')
        n = out.get(slug, 0)
        out[slug] = n + 1
        if n:
            out[f'{slug}-{n}'] = 1
        if path.suffix == '.ipynb':
            out[h.replace(' ', '-')] = 1
    return set(out)

def links(text):
    """All targets of a page: inline, by reference, in angle brackets, in HTML. A reference without a
    definition is None."""
    text, defs = bare(text), {}
    for name, target in re.findall(r'^\[([^\]]+)\]:\s*(\S+)', text, re.M): defs[name.lower()] = target
    text = re.sub(r'^\[[^\]]+\]:\s*\S+.*$', '', text, flags=re.M)
    yield from re.findall(r'\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)', text)
    yield from re.findall(r'<(https?://[^>\s]+)>', text)
    yield from re.findall(r'(?:href|src)="([^"]+)"', text)
    yield from defs.values()
    for label, name in re.findall(r'\[([^\]\[]+)\]\[([^\]]*)\]', text):
        if (name or label).lower() not in defs: yield None, name or label

def fault(target, page, known):
    "What is wrong with a link, or None."
    if isinstance(target, tuple): return f'[{target[1]}] is not defined'
    url = urlparse(target)
    if url.scheme:
        if url.scheme == 'mailto': return None if '@' in url.path else 'not an address'
        if url.scheme not in ('http', 'https'): return f'unknown scheme {url.scheme}'
        if (
            url.netloc == 'github.com'
            and '/blob/' in url.path
            and not re.search(r'/blob/[0-9a-f]{40}/', url.path)
        ):
            return 'a file on GitHub is linked at a commit: branches move'
        return (
            None
            if re.fullmatch(r'[\w-]+(\.[\w-]+)+(:\d+)?', url.netloc) and ' ' not in target
            else 'not a web address'
        )
    file = (page.parent/unquote(url.path)).resolve() if url.path else page
    if not file.is_relative_to(root): return 'leads out of the repository'
    if not file.exists(): return 'there is no such file'
    if file.is_file() and known and str(file.relative_to(root)) not in known:
        return 'that file is ignored by git'
    if url.fragment and file.suffix in ('.md', '.ipynb') and unquote(url.fragment) not in anchors(file):
        return f'no heading gives #{url.fragment}'

def repository():
    "(page, target, what is wrong) of each bad link, and how many were looked at."
    r = subprocess.run(
        ['git', 'ls-files', '--cached', '--others', '--exclude-standard'],
        cwd=root,
        capture_output=True,
        text=True,
    )
    known = set(r.stdout.splitlines()) if r.returncode == 0 else set()
    pages = [
        root / f for f in ('README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'the-reality.ipynb')
    ] + sorted((root / 'nbs').glob('*.ipynb'))
    bad, seen, outside = [], 0, 0
    for page in (p for p in pages if p.is_file()):
        for target in links(prose(page)):
            seen += 1
            outside += isinstance(target, str) and target.startswith('http')
            if why := fault(target, page, known): bad.append((page.relative_to(root), target, why))
    return bad, seen, outside

def site(folder):
    """What is wrong with the built pages: LinkChecker follows the links from page to page, the anchors are
    looked up here."""
    index = (Path(folder)/'index.html').resolve()
    if not index.is_file(): return [f'{index} is not there: run python tools/build.py first']
    # its default, ten requests a second, is for other people's servers
    rc = index.parent.parent/'linkchecker.ini'
    rc.write_text('[checking]\nthreads=2\nmaxrequestspersecond=1000\n')
    with Server(('127.0.0.1', 0), partial(Quiet, directory=str(index.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        r = subprocess.run(
            [
                str(Path(sys.executable).parent / 'linkchecker'),
                '-f',
                str(rc),
                '--no-robots',
                '--no-status',
                '--ignore-url',
                r'^(?!http://127\.0\.0\.1)',
                f'http://127.0.0.1:{server.server_port}/index.html',
            ],
            capture_output=True,
            text=True,
        )
        server.shutdown()
    print(next((l for l in r.stdout.splitlines() if l.startswith("That's it")), r.stderr[-2000:]).strip())
    bad = [] if r.returncode == 0 else [r.stdout[-6000:]]
    pages = {p.resolve(): Page(p) for p in sorted(index.parent.glob('*.html'))}
    seen = 0
    for path, page in pages.items():
        for href in page.hrefs:
            url = urlparse(href)
            if url.scheme or not url.fragment: continue
            to = pages.get((path.parent/unquote(url.path)).resolve() if url.path else path)
            seen += 1
            if to and unquote(url.fragment) not in to.ids: bad.append(f'{path.name}: {href}: no such anchor')
    print(f'{len(pages)} pages, {seen} links to anchors in them')
    return bad

class Server(ThreadingHTTPServer):
    def handle_error(self, *args): pass

class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
    # it waits between requests, unless told so
    def end_headers(self):
        self.send_header('LinkChecker', 'as fast as you can')
        super().end_headers()

class Page(HTMLParser):
    "The anchors of a page and its links."
    def __init__(self, path):
        super().__init__()
        self.ids, self.hrefs = {'', 'top'}, set()
        self.feed(path.read_text(encoding='utf-8'))
    def handle_starttag(self, tag, attrs):
        for k, v in attrs:
            if k == 'id' or (tag == 'a' and k == 'name'): self.ids.add(v)
            if tag == 'a' and k == 'href' and v: self.hrefs.add(v)

if __name__ == '__main__':
    bad, seen, outside = repository()
    for page, target, why in bad: print(f'{page}: {target}: {why}')
    print(
        f'{seen} links in the repository, {len(bad)} bad; {outside} lead outside: without a network these '
        f'were looked at for their form only'
    )
    report = site(sys.argv[1]) if len(sys.argv) > 1 else []
    for line in report: print(line)
    sys.exit(bool(bad or report))
