<?php
// What one request of a web application has counted. PHP forgets it at the end of the request, so each push is an increment (/add):
// call push_counts() from register_shutdown_function(). Where the registry is in APCu or Redis, push all of it to /sum
// instead, with the host as its source.
declare(strict_types=1);

/** Tries the push once, since a web page must not wait for its metrics. False: they are lost, and the log says why. */
function push_counts(string $gateway, array $counts): bool
{
    $body = "# HELP shop_requests_total Requests, by what became of them.\n# TYPE shop_requests_total counter\n";
    foreach ($counts as $status => $n) {
        // Backslash, quote and line feed are escaped in label values.
        $body .= 'shop_requests_total{status="' . addcslashes((string) $status, "\\\"\n") . "\"} $n\n";
    }
    $id = bin2hex(random_bytes(8));
    $context = stream_context_create(['http' => [
        'method' => 'POST', 'content' => $body, 'timeout' => 2, 'ignore_errors' => true,
        'header' => 'Content-Type: text/plain; version=0.0.4',
    ]]);
    $answer = @file_get_contents("$gateway/add/metrics/job/shop/__push_id__/$id", false, $context);
    $ok = $answer !== false && str_contains($http_response_header[0], ' 200');
    if (!$ok) {
        error_log('metrics were not pushed: ' . ($answer === false ? 'no answer' : $answer));
    }
    return $ok;
}

$counts = ['200' => 1];
register_shutdown_function(function () use (&$counts) {
    push_counts(getenv('PUSHGATEWAY') ?: 'http://localhost:9091', $counts);
});
echo "hello\n";
