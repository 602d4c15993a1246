import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;

/**
 * A job that pushes once, when it ends, with nothing but the JDK: PUSHGATEWAY=http://gw:9091 java Push.java
 *
 * With the client library of Prometheus (io.prometheus:prometheus-metrics-exporter-pushgateway) it is
 * PushGateway.builder().address("gw:9091").job("billing").build().push().
 */
public class Push {
    public static void main(String[] args) throws Exception {
        String gateway = System.getenv().getOrDefault("PUSHGATEWAY", "http://localhost:9091");
        Instant begin = Instant.now();
        int invoices = work();
        double seconds = Duration.between(begin, Instant.now()).toNanos() / 1e9;

        // The text format: every line ends with a line feed, numbers have a point.
        String body = String.join("\n",
            "# HELP billing_invoices Invoices of the last run.",
            "# TYPE billing_invoices gauge",
            "billing_invoices " + invoices,
            "# HELP billing_duration_seconds How long the last run took.",
            "# TYPE billing_duration_seconds gauge",
            "billing_duration_seconds " + seconds,
            "# HELP billing_last_success_timestamp_seconds When a run last succeeded.",
            "# TYPE billing_last_success_timestamp_seconds gauge",
            "billing_last_success_timestamp_seconds " + Instant.now().getEpochSecond(),
            "");

        HttpRequest request = HttpRequest.newBuilder(URI.create(gateway + "/metrics/job/billing"))
            .timeout(Duration.ofSeconds(10))
            .PUT(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> reply = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (reply.statusCode() != 200) {
            System.err.println("metrics were not pushed: " + reply.statusCode() + " " + reply.body());
            System.exit(1);
        }
    }

    static int work() {
        return 42;
    }
}
