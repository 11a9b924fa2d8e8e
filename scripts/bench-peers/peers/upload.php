<?php
// An upload that stores its body as a file, synced to disk if &fsync=1. No row, no hash, no quota.
require __DIR__ . '/token.php';
if (user_of_token() === null) {
	http_response_code(401);
	exit;
}
$id = bin2hex(random_bytes(16));
$from = fopen('php://input', 'rb');
$to = fopen(getenv('FILES') . '/' . basename($_GET['folder']) . "/$id", 'xb');
stream_copy_to_stream($from, $to);
if (isset($_GET['fsync']))
	fsync($to);
fclose($to);
http_response_code(201);
header('Content-Type: application/json');
echo json_encode(['id' => $id]);
