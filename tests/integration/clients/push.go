// A batch job with client_golang: reads requests as JSON on stdin, makes them one after the other
// with the push package, and writes what became of each as JSON on stdout. libraries.py runs it;
// push.js is the same for Node.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

type request struct {
	URL, Action, Job string
	Grouping         map[string]string
	Metrics          []metric
	Format           expfmt.Format
	Gzip             bool
	User, Password   string
}

type metric struct {
	Kind, Name, Help string
	Bounds           []float64 // buckets of a histogram, quantiles of a summary
	Series           []series
}

// Values are text since JSON has no NaN.
type series struct {
	Labels map[string]string
	Values []string
}

type result struct {
	Error  string `json:"error"`
	Pushed string `json:"pushed"` // in text 0.0.4, as client_golang itself writes it
}

type report struct {
	Results     []result `json:"results"`
	Connections int      `json:"connections"` // how many were opened
}

func (s series) each(f func(float64)) {
	for _, text := range s.Values {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			log.Fatal(err)
		}
		f(v)
	}
}

func labelNames(m metric) []string {
	names := []string{}
	for name := range m.Series[0].Labels {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func counter(m metric) prometheus.Collector {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, labelNames(m))
	for _, s := range m.Series {
		s.each(vec.With(s.Labels).Add)
	}
	return vec
}

// Each value comes with an exemplar.
func counterWithExemplars(m metric) prometheus.Collector {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, labelNames(m))
	for _, s := range m.Series {
		s.each(func(v float64) {
			vec.With(s.Labels).(prometheus.ExemplarAdder).AddWithExemplar(v, prometheus.Labels{"trace": "t1"})
		})
	}
	return vec
}

func gauge(m metric) prometheus.Collector {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, labelNames(m))
	for _, s := range m.Series {
		s.each(vec.With(s.Labels).Set)
	}
	return vec
}

func histogram(opts prometheus.HistogramOpts, m metric) prometheus.Collector {
	opts.Name, opts.Help, opts.Buckets = m.Name, m.Help, m.Bounds
	vec := prometheus.NewHistogramVec(opts, labelNames(m))
	for _, s := range m.Series {
		s.each(vec.With(s.Labels).Observe)
	}
	return vec
}

func summary(m metric) prometheus.Collector {
	objectives := map[float64]float64{}
	for _, q := range m.Bounds {
		objectives[q] = 0.01
	}
	vec := prometheus.NewSummaryVec(
		prometheus.SummaryOpts{Name: m.Name, Help: m.Help, Objectives: objectives}, labelNames(m))
	for _, s := range m.Series {
		s.each(vec.With(s.Labels).Observe)
	}
	return vec
}

func collector(m metric) prometheus.Collector {
	switch m.Kind {
	case "counter":
		return counter(m)
	case "counter with exemplars":
		return counterWithExemplars(m)
	case "gauge":
		return gauge(m)
	case "histogram":
		return histogram(prometheus.HistogramOpts{}, m)
	case "native histogram":
		return histogram(prometheus.HistogramOpts{NativeHistogramBucketFactor: 1.1}, m)
	case "summary":
		return summary(m)
	}
	log.Fatalf("no kind of metric: %q", m.Kind)
	return nil
}

func gather(metrics []metric) []*dto.MetricFamily {
	registry := prometheus.NewPedanticRegistry()
	for _, m := range metrics {
		registry.MustRegister(collector(m))
	}
	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	return families
}

func asText(families []*dto.MetricFamily) string {
	var out bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&out, family); err != nil {
			log.Fatal(err)
		}
	}
	return out.String()
}

// zipping is an HTTP client that compresses what it sends.
type zipping struct{}

func (zipping) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return http.DefaultClient.Do(r)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.Copy(w, r.Body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	r.Body, r.ContentLength = io.NopCloser(&packed), int64(packed.Len())
	r.Header.Set("Content-Encoding", "gzip")
	return http.DefaultClient.Do(r)
}

func do(r request) result {
	families := gather(r.Metrics)
	pusher := push.New(r.URL, r.Job).Gatherer(prometheus.GathererFunc(
		func() ([]*dto.MetricFamily, error) { return families, nil }))
	for name, value := range r.Grouping {
		pusher.Grouping(name, value)
	}
	if r.Format != "" {
		pusher.Format(r.Format)
	}
	if r.Gzip {
		pusher.Client(zipping{})
	}
	if r.User != "" {
		pusher.BasicAuth(r.User, r.Password)
	}
	actions := map[string]func() error{"push": pusher.Push, "pushAdd": pusher.Add, "delete": pusher.Delete}
	if err := actions[r.Action](); err != nil {
		return result{Error: err.Error()}
	}
	return result{Pushed: asText(families)}
}

// Every client that push makes uses the default transport.
func countConnections(n *int) {
	dialer := net.Dialer{}
	http.DefaultTransport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		*n++
		return dialer.DialContext(ctx, network, address)
	}
}

func main() {
	var requests []request
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		log.Fatal(err)
	}
	out := report{}
	countConnections(&out.Connections)
	for _, r := range requests {
		out.Results = append(out.Results, do(r))
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}
