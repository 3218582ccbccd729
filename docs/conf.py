"Sphinx settings of the docs site; `python tools/build.py` writes the pages that it reads."
from configparser import ConfigParser
from pathlib import Path

here = Path(__file__).resolve().parent
ini = ConfigParser(delimiters=['='])
ini.read(here.parent/'settings.ini', encoding='utf-8')
ini = ini['DEFAULT']

project, release, copyright, language = ini['title'], ini['version'], ini['copyright'], 'en'
extensions = ['myst_nb', 'sphinx_copybutton']
exclude_patterns = ['static']

# notebooks: their saved outputs, never run here
nb_execution_mode, nb_render_markdown_format = 'off', 'myst'
nb_merge_streams = True
nb_mime_priority_overrides = [('html', 'application/vnd.jupyter.widget-view+json', None)]
nb_code_prompt_show, nb_code_prompt_hide = 'Show the code', 'Hide the code'
myst_enable_extensions = ['amsmath', 'colon_fence', 'dollarmath']
myst_heading_anchors = 4
myst_links_external_new_tab = False

html_theme, html_title = 'furo', ini['title']
html_static_path = ['static']
html_css_files = ['nanodit.css']
html_copy_source = html_show_sourcelink = html_use_index = False
html_theme_options = dict(
    navigation_with_keys=True,
    source_repository=ini['git_url'],
    source_branch=ini['branch'],
    top_of_page_buttons=[],
    light_css_variables={'color-brand-primary': '#4c5fd5', 'color-brand-content': '#3d50c3'},
    dark_css_variables={'color-brand-primary': '#9aa8ff', 'color-brand-content': '#9aa8ff'},
)
# one file, copied by build.py from sphinx-mathjax-offline
mathjax_path = 'tex-svg-full.js'
copybutton_exclude = '.linenos, .gp, .go'
suppress_warnings = ['mystnb.unknown_mime_type']
