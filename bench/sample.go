package main

import "time"

// A Sample is what one run measured, or, as a median, what the runs of a contender have in common. JSON names are its documentation.
type Sample struct {
	Requests     int64   `json:"requests"`
	Bytes        int64   `json:"bytes"`
	Seconds      float64 `json:"seconds"`
	BrokerCPU    float64 `json:"broker_cpu_seconds"`
	GeneratorCPU float64 `json:"generator_cpu_seconds"`

	PerSecond           float64 `json:"requests_per_second"`
	MBPerSecond         float64 `json:"mb_per_second"`
	MicrosPerRequest    float64 `json:"broker_cpu_us_per_request"`
	SecondsPerGB        float64 `json:"broker_cpu_seconds_per_gb"`
	GeneratorPerRequest float64 `json:"generator_cpu_us_per_request"`
	P50                 float64 `json:"p50_ms"`
	P99                 float64 `json:"p99_ms"`
	P999                float64 `json:"p99.9_ms"`
	AckP50              float64 `json:"ack_p50_ms"` // of end-to-end rows with -storage
	AckP99              float64 `json:"ack_p99_ms"`
	ResidentMB          float64 `json:"resident_mb"`
}

// Started is how long a start on an empty directory took, from the start of the process.
type Started struct {
	FirstAnswer, FirstRecord time.Duration
}

func newSample(pids []int, before, after probe, lanes []*lane) (Sample, error) {
	var resident int64
	for _, pid := range pids {
		bytes, err := residentBytes(pid)
		if err != nil {
			return Sample{}, err
		}
		resident += bytes
	}
	var latency, acks Histogram
	for _, l := range lanes {
		latency.Merge(&l.latency)
		acks.Merge(&l.acks)
	}
	s := Sample{
		Requests:     after.requests - before.requests,
		Bytes:        after.bytes - before.bytes,
		Seconds:      after.at.Sub(before.at).Seconds(),
		BrokerCPU:    (after.cpu - before.cpu).Seconds(),
		GeneratorCPU: (after.generator - before.generator).Seconds(),
		P50:          milliseconds(latency.Quantile(0.50)),
		P99:          milliseconds(latency.Quantile(0.99)),
		P999:         milliseconds(latency.Quantile(0.999)),
		AckP50:       milliseconds(acks.Quantile(0.50)),
		AckP99:       milliseconds(acks.Quantile(0.99)),
		ResidentMB:   float64(resident) / 1e6,
	}
	s.PerSecond = ratio(float64(s.Requests), s.Seconds)
	s.MBPerSecond = ratio(float64(s.Bytes)/1e6, s.Seconds)
	s.MicrosPerRequest = ratio(s.BrokerCPU*1e6, float64(s.Requests))
	s.SecondsPerGB = ratio(s.BrokerCPU, float64(s.Bytes)/1e9)
	s.GeneratorPerRequest = ratio(s.GeneratorCPU*1e6, float64(s.Requests))
	return s, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// ratio is a/b, or 0 if there is no b.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
