// The contestants of the produce benchmark that are written in Go.
//
//	bench kafka-go|franz-go WORK
//
// reads numbers of records from stdin, a line a turn, and prints a line with the
// cost of each; ../produce/contestant.ts says what is asked for and answered.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	callRecords   = 1000
	callsInFlight = 4
	outstanding   = 10_000
	poolRecords   = 16_000
)

type work struct {
	Broker      string `json:"broker"`
	Topic       string `json:"topic"`
	Shape       string `json:"shape"`
	Compression string `json:"compression"`
	ValueBytes  int    `json:"valueBytes"`
	Values      string `json:"values"`
}

type cost struct {
	Records int     `json:"records"`
	CPUUs   float64 `json:"cpuUs"`
	WallMs  float64 `json:"wallMs"`
	RSSMb   float64 `json:"rssMb"`
	P50Ms   float64 `json:"p50Ms"`
	P99Ms   float64 `json:"p99Ms"`
}

type producer interface {
	// Writes so many records of the pool and waits for all.
	write(ctx context.Context, records int) error
	// Writes one record and waits for it.
	single(ctx context.Context) error
	close() error
}

// A record of the pool.
type payload struct{ key, value []byte }

func payloads(w work) ([]payload, error) {
	values, err := os.ReadFile(w.Values)
	if err != nil {
		return nil, err
	}
	pool := make([]payload, poolRecords)
	for i := range pool {
		pool[i].key = fmt.Appendf(nil, "key-%012d", i*7919)
		pool[i].value = values[i*w.ValueBytes : (i+1)*w.ValueBytes]
	}
	return pool, nil
}

// Calls call with the numbers from 0 on, in so many goroutines, until one fails.
func inLanes(lanes, calls int, call func(index int) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	var failure atomic.Pointer[error]
	for range lanes {
		group.Go(func() {
			for index := next.Add(1) - 1; index < int64(calls); index = next.Add(1) - 1 {
				if err := call(int(index)); err != nil {
					failure.Store(&err)
					return
				}
			}
		})
	}
	group.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}

func cpuUs() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1000
}

func rssMb() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

func turn(ctx context.Context, p producer, shape string, records int) (cost, error) {
	var latencies []float64
	cpu, began := cpuUs(), time.Now()
	var err error
	if shape == "single" {
		latencies = make([]float64, records)
		for i := range latencies {
			start := time.Now()
			if err = p.single(ctx); err != nil {
				break
			}
			latencies[i] = float64(time.Since(start).Microseconds()) / 1000
		}
	} else {
		err = p.write(ctx, records)
	}
	wall := time.Since(began)
	result := cost{Records: records, CPUUs: cpuUs() - cpu, WallMs: float64(wall.Microseconds()) / 1000, RSSMb: rssMb()}
	if len(latencies) > 0 {
		slices.Sort(latencies)
		result.P50Ms = latencies[records/2]
		result.P99Ms = latencies[records*99/100]
	}
	return result, err
}

func run(name string, w work) error {
	pool, err := payloads(w)
	if err != nil {
		return err
	}
	var p producer
	switch name {
	case "kafka-go":
		p = newKafkaGo(w, pool)
	case "franz-go":
		p, err = newFranzGo(w, pool)
	default:
		err = fmt.Errorf("no contestant %q", name)
	}
	if err != nil {
		return err
	}
	ctx := context.Background()
	output := json.NewEncoder(os.Stdout)
	turns := bufio.NewScanner(os.Stdin)
	for turns.Scan() {
		records, err := strconv.Atoi(turns.Text())
		if err != nil {
			return err
		}
		result, err := turn(ctx, p, w.Shape, records)
		if err != nil {
			return err
		}
		if err := output.Encode(result); err != nil {
			return err
		}
	}
	return p.close()
}

func main() {
	var w work
	if len(os.Args) != 3 {
		log.Fatal("usage: bench kafka-go|franz-go WORK")
	}
	if err := json.Unmarshal([]byte(os.Args[2]), &w); err != nil {
		log.Fatal(err)
	}
	if err := run(os.Args[1], w); err != nil {
		log.Fatal(err)
	}
}
