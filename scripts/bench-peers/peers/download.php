<?php
// A download by X-Sendfile, for who has a token, with the headers of Gatehouse's.
require __DIR__ . '/token.php';
if (user_of_token() === null) {
	http_response_code(401);
	exit;
}
$path = getenv('FILES') . '/' . basename($_GET['id']);
if (!is_file($path)) {
	http_response_code(404);
	exit;
}
header('Content-Type: application/octet-stream');
header('Content-Disposition: attachment; filename="small"');
header('Cache-Control: private, no-cache');
header('X-Request-ID: ' . bin2hex(random_bytes(16)));
header("X-Sendfile: $path");
