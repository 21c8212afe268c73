package main

import (
	"context"
	"log"
	"time"

	"github.com/segmentio/kafka-go"
)

// Calls on their way: a batch holds records of one partition, so that it takes
// more than four calls to fill them. With four it costs a third more.
const kafkaGoCalls = 16

// segmentio/kafka-go: keys to partitions by its Hash, acks of all. It has no
// idempotence. One record a call is asynchronous, with the outcome told to
// Completion: with a goroutine for each outstanding call it costs six times as
// much.
type kafkaGo struct {
	writer *kafka.Writer
	shape  string
	calls  [][]kafka.Message
	next   int
}

func newKafkaGo(w work, pool []payload) *kafkaGo {
	calls := make([][]kafka.Message, 0, len(pool)/callRecords)
	for start := 0; start < len(pool); start += callRecords {
		call := make([]kafka.Message, callRecords)
		for i, p := range pool[start : start+callRecords] {
			call[i] = kafka.Message{Key: p.key, Value: p.value}
		}
		calls = append(calls, call)
	}
	writer := &kafka.Writer{
		Addr:         kafka.TCP(w.Broker),
		Topic:        w.Topic,
		Balancer:     &kafka.Hash{},
		RequiredAcks: kafka.RequireAll,
		BatchSize:    callRecords,
		BatchTimeout: 2 * time.Millisecond,
	}
	if w.Shape == "single" {
		writer.BatchSize = 1
	}
	if w.Compression == "lz4" {
		writer.Compression = kafka.Lz4
	}
	return &kafkaGo{writer: writer, shape: w.Shape, calls: calls}
}

func (k *kafkaGo) write(ctx context.Context, records int) error {
	if k.shape == "batches" {
		return inLanes(kafkaGoCalls, records/callRecords, func(index int) error {
			return k.writer.WriteMessages(ctx, k.calls[index%len(k.calls)]...)
		})
	}
	settled := make(chan int, outstanding)
	k.writer.Async = true
	k.writer.Completion = func(messages []kafka.Message, err error) {
		if err != nil {
			log.Fatal(err)
		}
		settled <- len(messages)
	}
	waiting := 0
	for index := range records {
		if err := k.writer.WriteMessages(ctx, k.message(index)); err != nil {
			return err
		}
		for waiting++; waiting >= outstanding; {
			waiting -= <-settled
		}
	}
	for waiting > 0 {
		waiting -= <-settled
	}
	return nil
}

func (k *kafkaGo) single(ctx context.Context) error {
	k.next++
	return k.writer.WriteMessages(ctx, k.message(k.next))
}

func (k *kafkaGo) message(index int) kafka.Message {
	return k.calls[index/callRecords%len(k.calls)][index%callRecords]
}

func (k *kafkaGo) close() error { return k.writer.Close() }
