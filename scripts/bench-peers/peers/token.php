<?php
// The token check of the PHP peer: HS256 and the time, as hash extension and OpenSSL do it.
function user_of_token(): ?string
{
	$given = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
	if (!str_starts_with($given, 'Bearer '))
		return null;
	$parts = explode('.', substr($given, 7));
	if (count($parts) !== 3)
		return null;
	$mac = hash_hmac('sha256', "$parts[0].$parts[1]", getenv('SECRET'), true);
	if (!hash_equals(rtrim(strtr(base64_encode($mac), '+/', '-_'), '='), $parts[2]))
		return null;
	$claims = json_decode(base64_decode(strtr($parts[1], '-_', '+/')), true);
	$head = json_decode(base64_decode(strtr($parts[0], '-_', '+/')), true);
	$now = time();
	if (!is_array($claims) || ($head['alg'] ?? '') !== 'HS256' || ($claims['iss'] ?? '') !== 'gatehouse')
		return null;
	return ($claims['exp'] ?? 0) > $now && ($claims['nbf'] ?? $now) <= $now ? (string)$claims['sub'] : null;
}
