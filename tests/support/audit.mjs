// What a page owes to those who see, hear or point badly: a dozen checks of
// WCAG 2.2 AA that a program can make.  Runs inside the page; returns sentences.
export const audit = () => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const say = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 120)}`);
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    element.getClientRects().length > 0;
  const nameOf = (element) => (element.getAttribute('aria-label') ??
    (element.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim()) ||
    [...(element.labels ?? [])].map((l) => l.textContent).join(' ').trim() || element.textContent.trim() || element.title;

  if (!document.documentElement.lang) found.push('no language');
  if (!document.title.trim()) found.push('no title');
  for (const landmark of ['main', 'header', 'footer'])
    if (all(landmark).length !== 1) found.push(`${all(landmark).length} ${landmark}`);
  if (all('h1').filter(isShown).length !== 1) found.push(`${all('h1').length} h1`);
  all('h1,h2,h3,h4').filter(isShown).reduce((before, h) => {
    const level = Number(h.tagName[1]);
    if (level > before + 1) say('a heading skips a level', h);
    return level;
  }, 0);
  const ids = all('[id]').map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`two of id ${id}`);
  for (const e of all('input:not([type=hidden]),button,a[href],progress,select,fieldset'))
    if (isShown(e) && !(e.tagName === 'FIELDSET' ? e.querySelector('legend')?.textContent : nameOf(e))) say('no name', e);
  for (const e of all('img')) if (!e.hasAttribute('alt')) say('no alt', e);
  for (const e of all('a[href="#"],[onclick],[style],style,script:not([src])')) say('not wanted', e);
  for (const e of all('[aria-labelledby],[aria-describedby]'))
    for (const id of (e.getAttribute('aria-labelledby') ?? e.getAttribute('aria-describedby')).split(' '))
      if (!document.getElementById(id)) say('names nothing', e);
  for (const e of all('ul > *,ol > *')) if (e.tagName !== 'LI') say('not a list item', e);
  if (document.documentElement.scrollWidth > innerWidth) found.push(`scrolls sideways: ${document.documentElement.scrollWidth} in ${innerWidth}`);
  for (const e of all('a.card,.button,input[type=search],.kinds label')) {
    const { width, height } = e.getBoundingClientRect();
    if (isShown(e) && (width < 24 || height < 24)) say('too small to hit', e);
  }

  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => text.match(/[\d.]+/g).map(Number);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !isShown(element) || element.closest('.skip,noscript')) continue;
    const style = getComputedStyle(element);
    const a = light(parse(style.color)), b = light(behind(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}`, element);
  }
  return found;
};
