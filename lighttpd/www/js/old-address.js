// old-address.js - drop.html was the address of the page of an upload link: go to upload-link.html.
//
// In JavaScript, because the secret of the link is the fragment, which only a script can carry over.
location.replace(`upload-link.html${location.hash}`);
