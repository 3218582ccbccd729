"Reads settings.ini; the only place where the package's metadata stands."
import shutil
from configparser import ConfigParser
from pathlib import Path
from setuptools import setup, find_packages
from setuptools.command.build_py import build_py

here = Path(__file__).parent
ini = ConfigParser(delimiters=['='])
ini.read(here/'settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']
words = lambda key: cfg.get(key, '').split()

class BuildWithRecipes(build_py):
    "The recipes travel inside the package, so that `nanodit-train tiny` finds them without the repository."
    def run(self):
        super().run()
        if getattr(self, 'editable_mode', False): return    # an editable install reads the repository's own
        out = Path(self.build_lib)/'nanodit/configs'
        out.mkdir(parents=True, exist_ok=True)
        for f in (*sorted((here / 'configs').glob('*.yaml')), here / 'configs/schema.json'):
            shutil.copy(f, out / f.name)

setup(
    name=cfg['lib_name'],
    version=cfg['version'],
    description=cfg['description'],
    license='Apache-2.0',
    author=cfg['author'],
    author_email=cfg['author_email'],
    url=cfg['git_url'],
    keywords=cfg['keywords'],
    long_description=(here / 'README.md').read_text(encoding='utf-8')
    if (here / 'README.md').exists()
    else '',
    long_description_content_type='text/markdown',
    cmdclass={'build_py': BuildWithRecipes},
    packages=find_packages(include=['nanodit', 'nanodit.*']),
    python_requires=f">={cfg['min_python']}",
    install_requires=words('requirements'),
    extras_require={k.removesuffix('_requirements'): words(k) for k in cfg if k.endswith('_requirements')},
    entry_points={
        'console_scripts': [l.strip() for l in cfg.get('console_scripts', '').splitlines() if l.strip()],
        'nbdev': ['nanodit=nanodit._modidx:d'],
    },
)
