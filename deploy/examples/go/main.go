// A batch job that pushes once, when it ends: PUSHGATEWAY=http://gw:9091 go run main.go
package main

import (
	"log"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
)

var (
	records = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "import_records_total", Help: "Records of the last import."}, []string{"status"})
	duration = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "import_duration_seconds", Help: "How long the last import took."})
	success = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "import_last_success_timestamp_seconds", Help: "When an import last succeeded."})
)

func work() error {
	for i := 0; i < 10; i++ {
		records.WithLabelValues("imported").Inc()
	}
	return nil
}

func main() {
	gateway := os.Getenv("PUSHGATEWAY")
	if gateway == "" {
		gateway = "http://localhost:9091"
	}
	// Not the default registry: Go's own metrics are of no use once the job has ended.
	pusher := push.New(gateway, "import").Grouping("instance", "db1").Collector(records).Collector(duration)

	start := time.Now()
	err := work()
	duration.Set(time.Since(start).Seconds())
	if err == nil {
		success.SetToCurrentTime()
		pusher = pusher.Collector(success)
	}
	// Add is a POST: the time of the last success stays if this run has failed. Push would be a PUT, which replaces the whole group.
	if e := pusher.Add(); e != nil {
		log.Print("metrics were not pushed: ", e)
	}
	if err != nil {
		log.Fatal(err)
	}
}
