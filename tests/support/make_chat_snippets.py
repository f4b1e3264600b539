"""Writes tests/data/chat/snippets.json: what jinja2, set up as transformers does, makes of short templates.

Usage: python make_chat_snippets.py   (from the root of the repository; needs jinja2 3.1)
Each row has the template and the text, or "error": true where rendering must fail.
"""

import json
import pathlib

from jinja2.exceptions import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

OUTPUT = "tests/data/chat/snippets.json"
VARIABLES = {
    "n": 7, "x": 2.5, "t": True, "f": False, "nothing": None, "s": " Caf\u00e9 au lait\n", "word": "abcabc",
    "l": [3, 1, 2, 3], "names": ["b", "A", "a"], "empty": [], "d": {"b": 1, "a": {"c": [1, None, "q\"'"]}, "items": 5},
    "rows": [{"k": "u", "v": 1, "o": {"p": 1}}, {"k": "w", "v": 2}, {"k": "u", "v": 3, "o": {"p": 0}}], "html": "<a href='x'>&amp;</a>",
}
SNIPPETS = [
    # literals and operators
    "{{ 1 }} {{ 1.0 }} {{ 1e20 }} {{ 1.5e-7 }} {{ 100000000000000000.0 }} {{ 0.1 + 0.2 }} {{ 123456.789 }} {{ 1_000 }}",
    "{{ true }} {{ True }} {{ none }} {{ None }} {{ false }} {{ [1, 'a', \"it's\", none] }} {{ (1,) }} {{ (1, 2) }} {{ {'a': 1, 2: [3]} }}",
    "{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ -2 ** 2 }} {{ 2 * 3 + 4 }}", "{{ 1 ~ 2 + 3 }}", "{{ 1 ~ 2 * 3 ~ 4 }}",
    "{{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 3 - 5 - 1 }} {{ 'a' * 3 }} {{ [1] * 2 + [2] }} {{ 2 ** -1 }} {{ true + 1 }}",
    "{{ 1 + 'a' }}", "{{ 'a' + 1 }}", "{{ 1 / 0 }}", "{{ 1 % 0 }}", "{{ none + 'a' }}", "{{ [1] + (2,) }}", "{{ 'a' - 'b' }}",
    "{{ 'a' 'b' }} {{ 'a\\n\\t\\\\\\'\\\"\\x41\\u00e9\\U0001F600\\101\\q' }}",
    "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' < 'b' }} {{ 'A' < 'a' }} {{ [1, 2] < [1, 3] }} {{ 1 == 1.0 }} {{ true == 1 }} {{ '1' == 1 }}",
    "{{ 1 < 'a' }}", "{{ none < 1 }}", "{{ missing < 1 }}", "{{ missing == none }} {{ missing == other }} {{ missing != 1 }}",
    "{{ 'b' in word }} {{ 3 in l }} {{ 9 not in l }} {{ 'a' in d }} {{ 'z' in missing }} {{ 'a' in names and not 'z' in names }}",
    "{{ 1 in 'a' }}", "{{ 1 in none }}", "{{ 'a' in 5 }}",
    "{{ not t }} {{ not missing }} {{ t and n }} {{ f or 'x' }} {{ nothing or empty }} {{ 0 or none }} {{ not t == f }}",
    "{{ 'yes' if n > 5 else 'no' }} {{ 'yes' if n > 9 }}| {{ 1 if f else 2 if f else 3 }}",
    "{{ -n }} {{ +n }} {{ - - n }} {{ -x }} {{ n|abs }} {{ -n|abs }}",
    "{{ 9223372036854775807 }} {{ 4611686018427387904 * 1 }}",
    # access
    "{{ l[0] }} {{ l[-1] }} {{ l[9] }}| {{ word[1] }} {{ word[-1] }} {{ d.b }} {{ d['b'] }} {{ d.a.c[2] }} {{ d.zz }}|",
    "{{ l[1:] }} {{ l[:-1] }} {{ l[::-1] }} {{ l[1:3] }} {{ word[::2] }} {{ word[-3:] }} {{ word[10:] }}| {{ l[::-2] }} {{ word[4:1:-1] }} {{ l[-99:99] }}",
    "{{ d['items'] }} {{ d.items is callable }} {{ d.get('b') }} {{ d.get('q') }} {{ d.get('q', 4) }} {{ d.keys()|list }}",
    "{{ missing }}| {{ missing.x }}", "{{ nothing.x }}|", "{{ nothing.x.y }}", "{{ nothing['x'] }}|", "{{ l.x }}|{{ n.real2 }}|", "{{ missing() }}", "{{ n() }}", "{{ nothing.strip() }}",
    "{{ l[::0] }}", "{{ l['a'] }}|", "{{ word['x'] }}|", "{{ l[1.5] }}|", "{{ l.0 }} {{ rows.1.k }}",
    # statements and white space
    "a\n  {% if t %}\n  b\n  {% endif %}\nc\n", "a {%- if t -%}  b  {%- endif -%} c", "  {%+ if t %}x{% endif +%}\ny\n\n", "{{ 1 }}\n{{ 2 }}\n", "x  {{- n -}}  y", "a{# c #}\nb\n  {#- d -#}  e\n   {# f #}\ng",
    "{% raw %}{{ x }}{% y %}{% endraw %}z", "a\n {%- raw -%} {{ x }} {%- endraw -%} b", "{% raw %}\nq\n{% endraw %}\nr", "a\r\nb\rc{% if t %}\r\nd{% endif %}", "\n\n  {% set a = 1 %}\n  {{ a }}  \n", "{{ '{{' }} { } {{ '}}' }} {{ {'a': {}} }} %} }}",
    "{% if n > 9 %}a{% elif n > 5 %}b{% else %}c{% endif %}{% if f %}a{% elif f %}b{% else %}c{% endif %}{% if f %}x{% endif %}",
    "{% for i in l %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %}", "{% for i in empty %}x{% else %}none{% endfor %}{% for i in missing %}x{% else %}none{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }};{% endfor %}{% for c in 'h\u00e9' %}{{ c }}.{% endfor %}",
    "{% for i in l if i != 3 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% endfor %}", "{% for i in 5 %}{% endfor %}", "{% for i in none %}{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{% endfor %}",
    "{% for i in l %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.depth }}{{ loop.depth0 }}[{{ loop.previtem }}{{ loop.nextitem }}] {% endfor %}",
    "{% for i in [1, 2] %}{% for j in 'ab' %}{{ i }}{{ j }}{{ loop.index }}{{ loop.depth }} {% endfor %}{% endfor %}",
    "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "{{ range(3)|list }} {{ range(1, 9, 3)|list }} {{ range(3, 0, -1)|list }}",
    "{% set a = 1 %}{% for i in l %}{% set a = i %}{{ a }}{% endfor %}{{ a }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}", "{% if t %}{% set q = 5 %}{% endif %}{{ q }}",
    "{% set ns = namespace(a=1, b=[]) %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.zz }}|{% set ns.c = 2 %}{{ ns.c }}{{ ns['a'] }}", "{% set d.q = 1 %}", "{% set missing.q = 1 %}",
    "{% set b %}x{{ n }}{% endset %}[{{ b }}]{% set u | upper %}abc{% endset %}{{ u }}", "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}|", "{% filter upper %}ab{{ word }}{% endfilter %}",
    "{% macro m(a, b='q', c=none) %}{{ a }}-{{ b }}-{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(1, c=3) }}{{ m() }}{{ m(b=4, a=5) }}", "{% macro m(a) %}{% if a > 0 %}{{ a }}{{ m(a - 1) }}{% endif %}{% endmacro %}{{ m(4) }}",
    "{% macro m() %}{{ g }}{% endmacro %}{% set g = 3 %}{{ m() }}", "{% macro m(a) %}x{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) -%}  {{ a }}  {%- endmacro %}[{{ m('z') | upper }}]",
    "{{ raise_exception('no') }}", "{{ strftime_now('%Y-%m-%d') }}", "{{ undefined_function(1) }}",
    # filters
    "[{{ s|trim }}][{{ s|length }}][{{ word|length }}][{{ l|length }}][{{ d|count }}][{{ 'xxaxx'|trim('x') }}][{{ 5|trim }}]", "{{ n|length }}", "{{ missing|length }}", "{{ nothing|length }}",
    "{{ d|tojson }} {{ s|tojson }} {{ [1.0, 1e20, true, none, 'a/b<'] | tojson }}", "{{ d|tojson(indent=2) }}", "{{ d|tojson(indent=4, sort_keys=true) }} {{ [[], {}]|tojson(indent=1) }}", "{{ d|tojson(separators=(',', ':')) }} {{ 'h\u00e9\U0001f600'|tojson(ensure_ascii=true) }}", "{{ missing|tojson }}", "{{ '\\x01\\x7f\\b\\f'|tojson }} {{ {1: 2, true: 3, none: 4, 1.5: 5}|tojson }}",
    "{{ l|join }} {{ l|join(', ') }} {{ rows|join('+', attribute='k') }} {{ names|join('-') }} {{ word|join('.') }} {{ [1, none]|join('/') }}", "{{ 5|string + 'a' }} {{ 1.0|string }} {{ none|string }} {{ l|string }}",
    "{{ missing|default('x') }} {{ nothing|default('x') }} {{ nothing|default('x', true) }} {{ ''|d('y', boolean=true) }} {{ missing|default }}|", "{{ s|upper }}{{ s|lower }}{{ 'ab cD-ef'|title }} {{ 'aB cD'|capitalize }} {{ '\u00e9a'|capitalize }}",
    "{{ word|replace('b', 'X') }} {{ word|replace('b', 'X', 1) }} {{ word|replace('', '-') }} {{ word.replace('ab', '') }} {{ word.replace('b', 'Y', 1) }}", "{{ l|first }} {{ l|last }} {{ word|first }} {{ empty|first }}| {{ empty|last is defined }}",
    "{{ word|list }} {{ d|list }} {{ d|items|list }} {{ missing|items|list }}", "{{ l|map('string')|list }} {{ rows|map(attribute='k')|list }} {{ rows|map(attribute='o.p', default=9)|list }} {{ names|map('upper')|join }} {{ ['a1', 'b1']|map('replace', '1', '2')|list }}",
    "{{ rows|selectattr('v', 'gt', 1)|map(attribute='v')|list }} {{ rows|selectattr('o')|list|length }} {{ rows|rejectattr('k', 'equalto', 'u')|list }} {{ rows|selectattr('k', 'in', ['w'])|list|length }} {{ rows|selectattr('o', 'defined')|list|length }}",
    "{{ l|select('odd')|list }} {{ l|reject('odd')|list }} {{ [0, 1, '', 'a']|select|list }} {{ l|select('divisibleby', 3)|list }}", "{{ {'b': 1, 'A': 2, 'c': 0}|dictsort }} {{ {'b': 1, 'A': 2}|dictsort(true) }} {{ {'b': 1, 'A': 2, 'c': 0}|dictsort(by='value') }} {{ {'b': 1, 'A': 2}|dictsort(reverse=true) }}",
    "{{ 'a\\nb\\n\\nc'|indent }}|{{ 'a\\nb'|indent(2, true) }}|{{ 'a\\n\\nb\\n'|indent(2, blank=true) }}|{{ 'a\\nb'|indent('> ') }}", "{{ '42'|int }} {{ '4.7'|int }} {{ 'x'|int }} {{ 'x'|int(5) }} {{ 3.9|int }} {{ -3.9|int }} {{ '1.5'|float }} {{ 'q'|float }} {{ ' 7 '|int }} {{ none|int }} {{ true|int }}",
    "{{ l|unique|list }} {{ names|unique|list }} {{ names|unique(true)|list }} {{ rows|unique(attribute='k')|list|length }}", "{{ l|sort }} {{ l|sort(reverse=true) }} {{ names|sort }} {{ names|sort(case_sensitive=true) }} {{ rows|sort(attribute='v', reverse=true)|map(attribute='v')|list }}", "{{ l|sum }} {{ rows|sum(attribute='v') }} {{ l|min }} {{ l|max }} {{ word|reverse }} {{ l|reverse|list }} {{ html|e }} {{ html|safe }}",
    "{{ [1, 'a']|sort }}", "{{ word|nosuchfilter }}", "{{ word is nosuchtest }}", "{{ d|attr('b') }}|", "{{ 5|join }}", "{{ l|join(1) }}",
    # tests
    "{{ n is defined }}{{ missing is defined }}{{ missing is undefined }}{{ d.q is not defined }}{{ nothing is none }}{{ n is not none }}{{ s is string }}{{ d is mapping }}{{ l is mapping }}{{ l is iterable }}{{ s is iterable }}{{ n is iterable }}{{ l is sequence }}{{ d is sequence }}{{ n is sequence }}",
    "{{ n is number }}{{ x is number }}{{ t is number }}{{ n is integer }}{{ t is integer }}{{ x is float }}{{ t is boolean }}{{ 1 is true }}{{ t is true }}{{ f is false }}{{ 0 is false }}{{ n is odd }}{{ n is even }}{{ n is divisibleby 7 }}{{ n is divisibleby(2) }}",
    "{{ n is equalto 7 }}{{ n is eq(8) }}{{ n is gt 5 }}{{ n is in [7] }}{{ 'ab' is lower }}{{ 'AB' is upper }}{{ n is sameas 7 }}{{ n is ne 7 }}{{ n is ge 7 }}{{ n is lt 7 }}{{ n is le 7 }}", "{{ n is defined and n is number or f }}{{ 'a' if missing is defined else 'b' }}{{ not n is defined }}{{ n is defined == true }}",
    # methods
    "[{{ s.strip() }}][{{ s.lstrip() }}][{{ s.rstrip() }}][{{ 'xxaxx'.strip('x') }}][{{ 'abcba'.lstrip('ab') }}][{{ 'abcba'.rstrip('ab') }}][{{ '\u00a0\u3000a\u2003'.strip() }}]", "{{ s.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ ' a  b c '.split(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'aXXb'.split('XX')[-1] }}",
    "{{ ''.split('') }}", "{{ word.startswith('ab') }} {{ word.endswith('bc') }} {{ word.startswith(('x', 'a')) }} {{ word.endswith('') }}", "{{ word.upper() }} {{ 'AB'.lower() }} {{ 'ab cd'.title() }} {{ 'aB'.capitalize() }} {{ ','.join(names) }} {{ word.find('c') }} {{ word.rfind('c') }} {{ word.find('z') }} {{ word.count('b') }}", "{{ 'a\\nb\\r\\nc\\n'.splitlines() }} {{ '12'.isdigit() }} {{ ''.isdigit() }} {{ ' '.isspace() }} {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('bc') }} {{ 'abc'.removesuffix('q') }}",
    "{{ l.index(2) }} {{ l.count(3) }}", "{{ l.index(99) }}", "{{ l.append(4) }}", "{{ d.update({'q': 1}) }}", "{{ word.startswith(1) }}", "{{ ','.join([1]) }}", "{{ d.values()|list|length }} {{ d.items()|list|first }}", "{{ dict(a=1, b=2) }} {{ dict({'a': 1}, a=3) }}",
    # grammar
    "{% if %}", "{% if t %}", "{{ 1 + }}", "{{ (1 }}", "{{ 1 ) }}", "{% endif %}", "{{ 'a }}", "{{ a b }}", "{% unknown %}", "{# open", "{% raw %} open", "{% for i l %}{% endfor %}", "{% for i in l %}{% endif %}", "{{ }}", "{% set %}", "{{ f(a=1, 2) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{{ 1 $ 2 }}", "{% break %}",
    "{{ ((((1)))) }} {{ [[[[2]]]] }} {{ {'a': {'b': [1, {'c': 2}]}}['a']['b'][1]['c'] }}", "{{ {'a': 1,}['a'] }} {{ [1, 2,] }} {{ (1, 2,)|length }} {{ ()|length }}", "{{- '-' -}} {{ 5 -2 }} {{ 5-2 }} {{ n-1 }}", "{{ 'a' ~ none ~ 1.5 ~ missing ~ [1] }}", "{{ names[0] ~ names[1:]|join }}{{ rows[0].o.p }}{{ rows[0]['o']['p'] }}",
]


def build_environment():
    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: "2025-01-31"
    return environment


def main():
    environment = build_environment()
    rows = []
    for snippet in SNIPPETS:
        row = {"template": snippet}
        try:
            row["text"] = environment.from_string(snippet).render(**VARIABLES)
        except Exception:  # any error is one
            row["error"] = True
        rows.append(json.dumps(row))
    head = json.dumps({"variables": VARIABLES})[:-1]
    pathlib.Path(OUTPUT).write_text(head + ', "rows": [\n' + ",\n".join(rows) + "\n]}\n")


if __name__ == "__main__":
    main()
