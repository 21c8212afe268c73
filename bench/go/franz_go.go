package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// twmb/franz-go: idempotent by default, keys to partitions by murmur2.
type franzGo struct {
	client *kgo.Client
	shape  string
	pool   []payload
	next   int
}

func newFranzGo(w work, pool []payload) (*franzGo, error) {
	compression := kgo.NoCompression()
	if w.Compression == "lz4" {
		compression = kgo.Lz4Compression()
	}
	linger := 5 * time.Millisecond
	if w.Shape == "single" {
		linger = 0
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(w.Broker),
		kgo.DefaultProduceTopic(w.Topic),
		kgo.ProducerBatchCompression(compression),
		kgo.ProducerLinger(linger),
	)
	if err != nil {
		return nil, err
	}
	return &franzGo{client: client, shape: w.Shape, pool: pool}, nil
}

func (f *franzGo) write(ctx context.Context, records int) error {
	if f.shape == "batches" {
		return inLanes(callsInFlight, records/callRecords, func(index int) error {
			call := make([]*kgo.Record, callRecords)
			for i := range call {
				call[i] = f.record(index*callRecords + i)
			}
			return f.client.ProduceSync(ctx, call...).FirstErr()
		})
	}
	var group sync.WaitGroup
	var failure error
	for i := range records {
		group.Add(1)
		f.client.Produce(ctx, f.record(i), func(_ *kgo.Record, err error) {
			// Promises are called one after another.
			if err != nil {
				failure = err
			}
			group.Done()
		})
	}
	group.Wait()
	return failure
}

func (f *franzGo) single(ctx context.Context) error {
	f.next++
	return f.client.ProduceSync(ctx, f.record(f.next)).FirstErr()
}

func (f *franzGo) record(index int) *kgo.Record {
	p := f.pool[index%len(f.pool)]
	return &kgo.Record{Key: p.key, Value: p.value}
}

func (f *franzGo) close() error {
	f.client.Close()
	return nil
}
