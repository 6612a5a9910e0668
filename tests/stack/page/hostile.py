"""Mails that would run, load or hide something where they are shown: each a name and what a stranger wrote."""

from __future__ import annotations

CANARY = "window.__canary=1"
ELSEWHERE = "http://127.0.0.1:9/"

HTML = {
    "script": f"<script>{CANARY}</script>",
    "script upper case": f"<SCRIPT>{CANARY}</SCRIPT>",
    "script from elsewhere": f"<script src={ELSEWHERE}x.js></script>",
    "script in svg": f"<svg><script>{CANARY}</script></svg>",
    "svg onload": f"<svg onload={CANARY}>",
    "svg animate": f"<svg><animate onbegin={CANARY} attributeName=x></svg>",
    "svg use": f"<svg><use href='{ELSEWHERE}x.svg#x'></use></svg>",
    "img onerror": f"<img src=x onerror={CANARY}>",
    "img from elsewhere": f"<img src={ELSEWHERE}pixel.gif>",
    "img srcset": f"<img srcset='{ELSEWHERE}a.gif 1x'>",
    "image with a tab": f"<img\tsrc=x\tonerror={CANARY}>",
    "image with a slash": f"<img/src=x/onerror={CANARY}>",
    "image without an end": f"<img src=x onerror={CANARY} ",
    "iframe srcdoc": f"<iframe srcdoc='<script>parent.{CANARY}</script>'></iframe>",
    "iframe javascript": f"<iframe src='javascript:{CANARY}'></iframe>",
    "iframe from elsewhere": f"<iframe src={ELSEWHERE}></iframe>",
    "object": f"<object data='{ELSEWHERE}x.swf'></object>",
    "embed": f"<embed src='{ELSEWHERE}x'>",
    "link stylesheet": f"<link rel=stylesheet href={ELSEWHERE}x.css>",
    "link prefetch": f"<link rel=prefetch href={ELSEWHERE}p><link rel=dns-prefetch href={ELSEWHERE}>",
    "style import": f"<style>@import url({ELSEWHERE}x.css);*{{display:none}}</style>",
    "style attribute": f"<p style='background:url({ELSEWHERE}b.png);position:fixed;inset:0'>cover</p>",
    "base": f"<base href={ELSEWHERE}>",
    "meta refresh": f"<meta http-equiv=refresh content='0;url={ELSEWHERE}'>",
    "meta policy": "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\">",
    "form elsewhere": f"<form action={ELSEWHERE}><button id=approve autofocus>Approve</button></form>",
    "form that ends ours": f"</form><form action={ELSEWHERE}>",
    "button formaction": f"<button form=batch formaction={ELSEWHERE}>Approve</button>",
    "input autofocus": f"<input autofocus onfocus={CANARY}>",
    "details toggle": f"<details open ontoggle={CANARY}>",
    "video poster": f"<video poster={ELSEWHERE}p.png><source src={ELSEWHERE}v.mp4 onerror={CANARY}></video>",
    "audio": f"<audio src={ELSEWHERE}a.mp3 autoplay onerror={CANARY}>",
    "body onload": f"<body onload={CANARY}>",
    "marquee": f"<marquee onstart={CANARY}>run</marquee>",
    "math": f"<math><mi xlink:href='javascript:{CANARY}'>x</mi></math>",
    "javascript link": f"<a href='javascript:{CANARY}'>Approve</a>",
    "data link": f"<a href='data:text/html,<script>{CANARY}</script>'>open</a>",
    "template": f"<template><script>{CANARY}</script></template>",
    "noscript": f"<noscript><p title='</noscript><img src=x onerror={CANARY}>'>",
    "mutation": f"<svg></p><style><a id='</style><img src=x onerror={CANARY}>'>",
    "comment": f"<!--><img src=x onerror={CANARY}>-->",
    "conditional comment": f"<!--[if gte IE 4]><script>{CANARY}</script><![endif]-->",
    "cdata": f"<![CDATA[<script>{CANARY}</script>]]>",
    "textarea that ends ours": f"</textarea><script>{CANARY}</script>",
    "pre that ends ours": f"</pre></section></article><script>{CANARY}</script>",
    "title that ends ours": f"</title><script>{CANARY}</script>",
    "attribute that ends ours": f'" autofocus onfocus="{CANARY}" x="',
    "attribute with one quote": f"' onmouseover='{CANARY}' '",
    "entity": f"&lt;script&gt;{CANARY}&lt;/script&gt; &#60;script&#62; &#x3c;img src=x onerror={CANARY}&#x3e;",
    "clobbering": "<form id=live><input name=replaceWith><input name=querySelector></form><a id=said></a>",
    "hidden by a style": "<div hidden>You also agree to pay EUR 9,000.</div><span style=display:none>secret</span>",
}
MARKDOWN = {
    "image": f"![pixel]({ELSEWHERE}pixel.png)",
    "image by reference": f"![pixel][p]\n\n[p]: {ELSEWHERE}pixel.png",
    "javascript link": f"[Approve](javascript:{CANARY})",
    "autolink": f"<{ELSEWHERE}>",
    "html block": f"> <div>\n> <script>{CANARY}</script>",
    "fence that ends ours": f"```\n````\n`````\n<script>{CANARY}</script>\n~~~",
    "comment": "%% hidden from the viewer %%",
    "embed": "![[Company_Handbook]]",
    "dataview": "```dataviewjs\nfetch('http://127.0.0.1:9/')\n```\n`= this.file`",
    "templater": "<% tp.system.prompt() %> {{ 7*7 }} {% raw %} ${7*7}",
    "request block": "<!-- countersign:request {0} -->\n## Action\n<!-- /countersign:request {0} -->".format("01" * 8),
    "callout": "> [!success] Countersign checked this mail. It is safe to approve.",
}
FRONT_MATTER = {
    "document end": "---\napproved: true\nstatus: approved\n---",
    "yaml tag": "!!python/object/apply:os.system ['true']",
    "anchor": "&a [*a, *a]",
    "key of ours": "priority: low\nwarnings: 0\naction: none",
}
TRICKS = {
    "right to left": "pay to \u202egro.live\u202c now",
    "isolates": "\u2067approve\u2069 \u2066me\u2069",
    "zero width": "pass\u200bword\u200c\u200d\u2060",
    "tags": "ok" + "".join(chr(0xE0000 + ord(c)) for c in "approve"),
    "soft hyphen": "EUR 9\u00ad000",
    "filler": "nothing\u3164\u115f\uffa0here",
    "line separators": "one\u2028two\u2029three",
    "control": "bell\x07 escape\x1b[2J back\x08space",
    "many newlines": "Hello" + "\n" * 400 + "and EUR 9,000 at the end",
    "many spaces": "Hello" + " " * 5000 + "and EUR 9,000 at the end",
    "combining": "Z" + "\u0351" * 200 + " stacked",
    "long word": "w" * 20000,
    "homoglyphs": "аррrove раура1",
    "vertical": "\u180e\ufe0f\ufeff",
}
NAMES = {
    "script": f"<script>{CANARY}</script>.pdf",
    "quote": f'"onmouseover={CANARY} x=".pdf',
    "two extensions": "invoice\u202efdp.exe",
    "path": "../../../../etc/passwd",
    "header": 'a.pdf"; filename="run.html',
    "html": "page.html",
}

CORPUS = {
    f"{kind}: {name}": text
    for kind, texts in (
        ("html", HTML), ("markdown", MARKDOWN), ("front matter", FRONT_MATTER), ("unicode", TRICKS),
    )
    for name, text in texts.items()
}  # fmt: skip
