// share-link-page.js - the page of a share link, on which people without an account download its file.
//
// The secret of the link is the fragment of the page's address, which browsers do not send to servers. To look
// at the page counts nothing: only its button asks for the bytes.
import { $, setText } from './dom.js';
import { count, dayAndTime, joinByDots, size } from './format.js';
import { address, send } from './http.js';

const linkPath = () => `/s/${location.hash.slice(1)}`;
let started = false; // whether the button was pressed

async function loadOffer() {
  try {
    showOffer(await send('GET', linkPath(), { headers: { Accept: 'application/json' } }));
  } catch (error) {
    if (started && (error.offline || error.status >= 500)) return;
    $('#offer').hidden = true;
    $('#home').hidden = false;
    setText($('#limits'), '');
    setText($('#about'), explainLinkError(error));
  }
}

function explainLinkError(error) {
  if (error.status === 404) return 'This link does not exist. Check that the address is complete.';
  if (error.status === 410 && started) return 'The download has started. The link cannot be used again.';
  return error.detail;
}

function showOffer({ name, size: bytes, type, expires_at: end, downloads_left: left }) {
  setText($('#title'), name);
  document.title = `${name} – Gatehouse`;
  setText($('#about'), joinByDots(size(bytes), type));
  setText($('#limits'), joinByDots(left !== null && `${count(left, 'download')} left`, end && `until ${dayAndTime(new Date(end))}`));
  $('#download').href = address(`${linkPath()}?download=1`);
  $('#offer').hidden = left === 0;
  $('#home').hidden = true;
  if (left === 0) setText($('#limits'), 'The link has been used. A download that was interrupted can still be resumed in the browser’s list of downloads.');
}

$('#download').addEventListener('click', () => {
  started = true;
  setTimeout(loadOffer, 1000); // by then the download is counted
});
addEventListener('online', () => $('#offer').hidden && loadOffer());
addEventListener('hashchange', () => location.reload());
loadOffer();
