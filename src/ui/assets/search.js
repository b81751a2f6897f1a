// The island of the search page: results while one types, "Show more" in place,
// and the access token of a parent page that frames us (contract 10.1: it sends
// a MessagePort right after our load, and on it {jwt}).  All of this is a plus:
// with a token in the URL the page works without it.
'use strict';
(() => {
  const WAIT_MS = 250;
  let token = new URLSearchParams(location.search).get('access_token');
  let asked = 0; // of overlapping answers only the last counts
  let timer = 0;

  addEventListener('message', (event) => {
    const port = event.ports[0];
    if (!port) return;
    port.onmessage = (message) => {
      const jwt = message.data && message.data.jwt;
      if (typeof jwt !== 'string' || !jwt) return;
      token = jwt;
      whenReady(() => show(firstPage()));
    };
  });

  const at = (id) => document.getElementById(id);
  const whenReady = (work) => (document.readyState === 'loading'
    ? addEventListener('DOMContentLoaded', work, { once: true }) : work());

  // What the form says, without its token: that one goes into a header.
  function firstPage() {
    const fields = new URLSearchParams(new FormData(at('find')));
    fields.delete('access_token');
    return fields;
  }

  async function fetchResults(fields) {
    const answer = await fetch('/search/results?' + fields, {
      headers: { Authorization: 'Bearer ' + token }, referrerPolicy: 'no-referrer',
    });
    if (!answer.ok) throw answer.status;
    return new DOMParser().parseFromString(await answer.text(), 'text/html');
  }

  async function show(fields) {
    const mine = ++asked;
    at('results').setAttribute('aria-busy', 'true');
    try {
      const page = await fetchResults(fields);
      if (mine !== asked) return;
      at('not-signed-in')?.remove();
      at('search').hidden = false;
      at('results').replaceChildren(...page.body.childNodes);
    } catch (error) {
      if (mine !== asked) return;
      const note = document.createElement('p');
      note.className = 'notice';
      note.setAttribute('role', 'status');
      note.textContent = error === 401
        ? 'Your visit has expired. Go back to the app you came from and start again.'
        : 'The search does not answer now. Try again in a moment.';
      at('results').replaceChildren(note);
    } finally {
      if (mine === asked) at('results').removeAttribute('aria-busy');
    }
  }

  // The next rows below those that are there; focus goes to the first of them.
  async function showMore(link) {
    const fields = new URL(link.href).searchParams;
    fields.delete('access_token');
    const mine = ++asked;
    link.setAttribute('aria-busy', 'true');
    try {
      const page = await fetchResults(fields);
      if (mine !== asked) return;
      const fresh = [...page.getElementById('cards').children];
      at('cards').append(...fresh);
      const next = page.getElementById('next');
      if (next) link.replaceWith(next);
      else link.remove();
      fresh[0]?.querySelector('a')?.focus();
    } catch {
      location.href = link.href;
    }
  }

  whenReady(() => {
    const form = at('find');
    form.addEventListener('submit', (event) => {
      if (!token) return;
      event.preventDefault();
      clearTimeout(timer);
      show(firstPage());
    });
    form.addEventListener('input', () => {
      clearTimeout(timer);
      if (token) timer = setTimeout(() => show(firstPage()), WAIT_MS);
    });
    document.addEventListener('click', (event) => {
      const more = event.target.closest('#next');
      if (more && token && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        showMore(more);
      }
      const card = event.target.closest('a.card');
      if (!card) return;
      card.setAttribute('aria-busy', 'true');
      document.dispatchEvent(new CustomEvent('system-selected', { detail: { id: Number(card.dataset.system) } }));
    });
  });
  // Back from the health system's page: nothing is busy any more.
  addEventListener('pageshow', () => document.querySelectorAll('a.card[aria-busy]')
    .forEach((card) => card.removeAttribute('aria-busy')));
})();
