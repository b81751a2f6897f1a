// The island of the collecting page: asks for the part that changes until it is
// over.  Without scripts the page reloads itself.
'use strict';
(() => {
  const EVERY_MS = 1000;
  const SLOW_MS = 8000; // after a failure, and while nobody looks
  const url = new URL(location.href);
  url.searchParams.set('live', '1');

  async function look() {
    let wait = document.hidden ? SLOW_MS : EVERY_MS;
    try {
      const answer = await fetch(url, { referrerPolicy: 'no-referrer' });
      if (answer.status === 401) return;
      if (!answer.ok) throw answer.status;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = page.getElementById('live');
      const live = document.getElementById('live');
      if (fresh.dataset.state === 'done' || fresh.dataset.state === 'failed') {
        document.title = fresh.querySelector('h1').textContent;
        live.replaceWith(fresh);
        return;
      }
      // The sentence and the bar stay the same elements: one is read aloud when
      // it changes, the other moves.
      const say = (id) => [live.querySelector(id), fresh.querySelector(id)];
      const [bar, freshBar] = say('#bar');
      bar.max = freshBar.max;
      bar.value = freshBar.value;
      const [summary, freshSummary] = say('#summary');
      if (summary.textContent !== freshSummary.textContent) summary.textContent = freshSummary.textContent;
      const [kinds, freshKinds] = say('#kinds');
      const details = freshKinds.querySelector('details');
      if (details) details.open = Boolean(kinds.querySelector('details')?.open);
      const isFocused = kinds.contains(document.activeElement);
      kinds.replaceWith(freshKinds);
      if (isFocused) freshKinds.querySelector('summary')?.focus();
    } catch {
      wait = SLOW_MS;
    }
    setTimeout(look, wait);
  }
  setTimeout(look, EVERY_MS);
})();
