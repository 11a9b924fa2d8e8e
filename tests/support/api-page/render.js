// Write lighttpd/www/api.html from docs/openapi.yaml (scripts/render-api).
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { apiPage } from './page.js';

writeFileSync(fileURLToPath(new URL('../../../lighttpd/www/api.html', import.meta.url)), apiPage());
