"""Builds the package, installs the wheel away from the repository, and tries every command: `python
tools/package.py`.

The new environment borrows the dependencies of the one that runs this; `--clean` installs them anew
(minutes).
"""
import os, subprocess, sys, tarfile, tempfile, venv, zipfile
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from pathlib import Path

from common import copy_source, root

ini = ConfigParser(delimiters=['='])
ini.read(root/'settings.ini', encoding='utf-8')
scripts = [l.split('=')[0].strip() for l in ini['DEFAULT']['console_scripts'].splitlines() if '=' in l]
recipes = sorted(f.name for f in (root/'configs').glob('*.yaml')) + ['schema.json']

def run(*cmd, cwd, **env):
    r = subprocess.run([str(c) for c in cmd], cwd=cwd, capture_output=True, text=True, env={**clean, **env})
    if r.returncode:
        raise SystemExit(
            f'{" ".join(map(str, cmd))} ended with {r.returncode}\n{r.stdout[-3000:]}\n{r.stderr[-3000:]}'
        )
    return r.stdout

version = ini['DEFAULT']['version']
top = next(
    (l for l in (root / 'CHANGELOG.md').read_text(encoding='utf-8').splitlines() if l.startswith('## ')), ''
)
if not top.startswith(f'## {version} '):
    raise SystemExit(f'settings.ini says version {version}, the changelog begins with {top!r}')
if f'__version__ = "{version}"' not in (root / 'nanodit/__init__.py').read_text(encoding='utf-8'):
    raise SystemExit(f'nanodit/__init__.py is not of version {version}: run nbdev_export')

clean = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'VIRTUAL_ENV')} | {
    'PIP_DISABLE_PIP_VERSION_CHECK': '1',
    'PIP_QUIET': '1',
}
with tempfile.TemporaryDirectory() as tmp:
    tmp = Path(tmp)
    source = copy_source(tmp / 'source')
    # sdist, and the wheel from it
    run(sys.executable, '-m', 'build', '--outdir', tmp/'dist', source, cwd=tmp)
    sdist, wheel = next((tmp/'dist').glob('*.tar.gz')), next((tmp/'dist').glob('*.whl'))
    inside = zipfile.ZipFile(wheel).namelist()
    missing = [r for r in recipes if f'nanodit/configs/{r}' not in inside]
    if missing: raise SystemExit(f'{wheel.name} lacks nanodit/configs/{missing}')
    stray = sorted({n.split('/')[0] for n in inside} - {'nanodit', f'nanodit-{version}.dist-info'})
    if stray: raise SystemExit(f'{wheel.name} would also install {stray}')
    lost = [
        n
        for n in ('settings.ini', 'README.md', 'LICENSE', 'configs/tiny.yaml')
        if not any(m.endswith('/' + n) for m in tarfile.open(sdist).getnames())
    ]
    if lost: raise SystemExit(f'{sdist.name} lacks {lost}')
    venv.create(tmp/'venv', with_pip=True)
    bin, site = tmp/'venv/bin', next((tmp/'venv/lib').glob('python*/site-packages'))
    if '--clean' in sys.argv:
        run(bin/'python', '-m', 'pip', 'install', '-c', root/'constraints.txt', wheel, cwd=tmp)
    else:
        # their .pth files, the editable install among them, are not read
        (site/'borrowed.pth').write_text('\n'.join(p for p in sys.path if p.endswith('site-packages')))
        run(bin/'python', '-m', 'pip', 'install', '--no-deps', '--force-reinstall', wheel, cwd=tmp)
    home = tmp/'elsewhere'
    home.mkdir()
    where = run(bin/'python', '-c', 'import nanodit; print(nanodit.__file__)', cwd=home).strip()
    if not Path(where).is_relative_to(tmp):
        raise SystemExit(f'the new environment imports nanodit from {where}')
    with ThreadPoolExecutor(2) as pool:
        for name, text in zip(scripts, pool.map(lambda s: run(bin/s, '--help', cwd=home), scripts)):
            if 'usage:' not in text: raise SystemExit(f'{name} --help says {text!r}')
    run(
        bin / 'nanodit-train',
        'tiny',
        'training.total_steps=2',
        'training.warmup_steps=0',
        'training.ema_warmup_steps=0',
        'training.batch_size=4',
        'data.shapes.num_samples=48',
        'data.buckets=[112x112]',
        'model.depth=1',
        'sampling.num_steps=1',
        'validation.num_samples=2',
        cwd=home,
    )
    if not (home/'runs/tiny').is_dir(): raise SystemExit('nanodit-train tiny left no run')
    print(
        f'{sdist.name} and {wheel.name} ({wheel.stat().st_size / 1000:.0f} KB, {len(recipes) - 1} recipes '
        f'inside); {len(scripts)} commands work from a new environment; nanodit-train tiny finds its recipe'
    )
