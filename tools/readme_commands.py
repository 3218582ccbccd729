"""Runs the commands of README.md in a scratch folder: `python tools/readme_commands.py [--from N]`, blocks
3 and later by default.

Blocks 1 and 2 (the main job and the tests) are run as they stand by .ci/run. The others run as they stand
too, in order (those that need none of the others beside them), but for what `SHORTER` appends: settings
that make a run small, and the built-in encoders where real weights would have to be fetched. Anything else
that a command needs (photos, a small trained run) is made here first.
"""
import os, re, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from PIL import Image

root = Path(__file__).resolve().parent.parent

# a model of one thin block, two updates, no report worth the name; kinds of data, code and files are those
# of the real run
SMALL = (
    'training.total_steps={n} training.warmup_steps=0 training.ema_warmup_steps=0 training.batch_size=2 '
    'model.depth=1 model.hidden_size=64 model.num_heads=1 sampling.num_steps=1 validation.num_samples=2 '
    'validation.interval_steps=1000 '
    'checkpoint.save_every=1 data.num_workers=0'
)
SHORTER = [  # (the command begins with or contains, what is appended)
    (r'^nanodit-prepare .*text=t5:', 'text=words vision=ring latents=dct'),
    (r'--dry-run', ''),
    (r'^nanodit-train configs/small\.yaml', SMALL.format(n=1)),
    (r'^torchrun .*configs/small\.yaml', SMALL.format(n=2)),
    (r'^nanodit-train my\.yaml', f'data.shapes.num_samples=48 {SMALL.format(n=2)}'),
    (
        r'^nanodit-bench configs/small\.yaml',
        'model.depth=1 model.hidden_size=64 model.num_heads=1 --rounds 2',
    ),
    (r'^nanodit-generate ', '--steps 2'),
]
# what needs nothing that the commands before it have made, and makes nothing for those after it: these run
# beside the others
ASIDE = r'^nbdev_test |--dry-run|^nanodit-(bench|generate) '
# recipes that a later command needs, as another part of README would have left them
TINY = 'nanodit-train configs/tiny.yaml data.shapes.num_samples=48 ' + SMALL.format(n=2)

def blocks(text):
    "The commands of each ```bash block: comments dropped, continued lines joined."
    for b in re.findall(r'^```bash\n(.*?)^```', text, re.M | re.S):
        yield [
            re.sub(r'\s+', ' ', l).strip()
            for l in b.replace('\\\n', ' ').splitlines()
            if l.strip() and not l.strip().startswith('#')
        ]

def loose(text):
    "Commands in running text, which nothing would run."
    prose = re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)
    return [
        m
        for m in re.findall(r'`([^`\n]+)`', prose)
        if re.match(r'(nanodit-\w+|torchrun|python -m nanodit\.\w+) +\S', m) or re.match(r'nbdev_test +\S', m)
    ]

def photos(folder, n=14):
    "Captioned photos of several shapes: smooth colours, some captions with left or right."
    folder.mkdir(parents=True)
    sizes = [(640, 640), (560, 800), (800, 560), (480, 800), (800, 480), (920, 480), (480, 920)]
    for i in range(n):
        w, h = sizes[i % len(sizes)]
        ramp = Image.linear_gradient('L').resize((w, h)).rotate(90 * (i % 4)).resize((w, h))
        Image.merge('RGB', [ramp.point(lambda v, k=k: (v * (i + k + 2)) % 256) for k in range(3)]).save(
            folder / f'{i}.jpg', quality=90
        )
        (folder / f'{i}.txt').write_text(
            f'a wall number {i}, the light comes from the {"left" if i % 2 else "right"}'
        )

def shorter(command):
    return next(
        (f'{command} {more}'.strip() for pattern, more in SHORTER if re.search(pattern, command)), command
    )

def telling(out, n=25):
    "The lines that name an error, and the last ones."
    lines = out.splitlines()
    return [l for l in lines[:-n] if re.match(r'\w*Error\b', l)][:5] + lines[-n:]

def run(command, work, env):
    start = time.monotonic()
    r = subprocess.run(
        ['bash', '-euo', 'pipefail', '-c', command],
        cwd=work,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return r.returncode, r.stdout, time.monotonic() - start

def main(first):
    text = (root/'README.md').read_text(encoding='utf-8')
    if bad := loose(text):
        sys.exit(
            'README.md has commands outside of a ```bash block, where nothing runs them:\n' + '\n'.join(bad)
        )
    with tempfile.TemporaryDirectory() as tmp:
        work, home = Path(tmp)/'nanodit', Path(tmp)/'home'
        work.mkdir()
        for name in (
            'configs',
            'nbs',
            'docs',
            'tools',
            'nanodit',
            'settings.ini',
            'constraints.txt',
            'the-reality.ipynb',
            'README.md',
            'CHANGELOG.md',
            'CONTRIBUTING.md',
            'LICENSE',
            '.ci',
        ):
            if (root / name).exists():
                (work / name).symlink_to(root / name)
        photos(home/'photos')
        Image.linear_gradient('L').convert('RGB').resize((320, 240)).save(work/'photo.jpg')
        env = {
            **os.environ,
            'HOME': str(home),
            'PATH': f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            'OMP_NUM_THREADS': os.environ.get('OMP_NUM_THREADS', '1'),
            'TQDM_DISABLE': '1',
            'PYTHONPATH': '',
        }
        # an older data set's spelling
        todo = [
            (0, TINY),
            (
                0,
                'nanodit-prepare ~/photos data/shards text=words vision=ring latents=dct && cd data/shards '
                '&& for b in *x*/; do mv $b bucket_$b; done',
            ),
        ]
        todo += [(n, c) for n, commands in enumerate(blocks(text), 1) if n >= first for c in commands]
        def chain(commands):
            "Runs them in order; how many failed."
            failed = 0
            for n, command in commands:
                code, out, seconds = run(shorter(command), work, env)
                line = (f"{'ok    ' if code == 0 else 'FAILED'} {seconds:5.1f} s  "
                        f"{'setup' if n == 0 else f'block {n}'}: {command if n else command[:60]}\n")
                if code:
                    failed += 1
                    line += (
                        f'  as run: {shorter(command)}\n  exit code {code}\n'
                        + '\n'.join('  | ' + l for l in telling(out))
                        + '\n'
                    )
                print(line, end='', flush=True)
            return failed
        aside = lambda n, command: n and re.search(ASIDE, command)
        failed = chain(c for c in todo if c[0] == 0)
        with ThreadPoolExecutor(2) as pool:
            failed += sum(
                pool.map(chain, ([c for c in todo if c[0] and not aside(*c)], [c for c in todo if aside(*c)]))
            )
    print(f'{len(todo)} commands, {failed} failed')
    sys.exit(failed > 0)

if __name__ == '__main__': main(int(sys.argv[sys.argv.index('--from') + 1]) if '--from' in sys.argv else 3)
