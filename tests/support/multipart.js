// multipart/form-data as exact bytes, for forms that no library would make.
export const BOUNDARY = 'gatehouse-test-boundary';
export const formType = (boundary = BOUNDARY) => `multipart/form-data; boundary=${boundary}`;

// A part: the Content-Disposition after `form-data`, the content, and further header lines.
export const part = (disposition, content, ...lines) =>
  Buffer.concat([
    Buffer.from([`Content-Disposition: form-data${disposition}`, ...lines, '', ''].join('\r\n')),
    Buffer.from(content),
  ]);

export const filePart = (name, content, ...lines) => part(`; name="file"; filename="${name}"`, content, ...lines);

export const form = (...parts) =>
  Buffer.concat([
    ...parts.flatMap((p) => [Buffer.from(`--${BOUNDARY}\r\n`), p, Buffer.from('\r\n')]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
