;; Folds the bytes from $start to $end into the last 209 of them without changing their CRC-32C; what stood before is lost.
;; Not here: the CRC itself. src/protocol/crc32c.ts copies the bytes in and looks up the CRC of what is left.
;; Invariant: $end is a multiple of 64 and at least 6,784; there are 3,455 bytes before $start.
;; How: with y any power of x, x^(2^k), the polynomial divides 1 + y^14 + y^39 + y^54 + y^144 + y^209, so a unit of 2^k bits
;; vanishes when it is added to those 65, 155, 170, 195 and 209 units later (Chorba, arXiv 2412.16398). First the units are
;; of 16 bytes, then of 1. A pass forward gives every unit what reaches it. The last 209 must not vanish: a pass backward,
;; with zeros in front of them, takes out what they gave to each other. A turn is 64 bytes; 65 units reach beyond it.
(module
  (memory (export "memory") 2)

  ;; From $at to $stop, in steps of 64 or -64 bytes.
  (func $pass (param $at i32) (param $stop i32) (param $unit i32) (param $step i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i32)
    (local.set $a (i32.sub (local.get $at) (i32.mul (local.get $unit) (i32.const 65))))
    (local.set $b (i32.sub (local.get $at) (i32.mul (local.get $unit) (i32.const 155))))
    (local.set $c (i32.sub (local.get $at) (i32.mul (local.get $unit) (i32.const 170))))
    (local.set $d (i32.sub (local.get $at) (i32.mul (local.get $unit) (i32.const 195))))
    (local.set $e (i32.sub (local.get $at) (i32.mul (local.get $unit) (i32.const 209))))
    (loop $turn
      (v128.store (local.get $at)
        (v128.xor
          (v128.xor
            (v128.xor (v128.load (local.get $at)) (v128.load (local.get $a)))
            (v128.xor (v128.load (local.get $b)) (v128.load (local.get $c))))
          (v128.xor (v128.load (local.get $d)) (v128.load (local.get $e)))))
      (v128.store offset=16 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.xor (v128.load offset=16 (local.get $at)) (v128.load offset=16 (local.get $a)))
            (v128.xor (v128.load offset=16 (local.get $b)) (v128.load offset=16 (local.get $c))))
          (v128.xor (v128.load offset=16 (local.get $d)) (v128.load offset=16 (local.get $e)))))
      (v128.store offset=32 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.xor (v128.load offset=32 (local.get $at)) (v128.load offset=32 (local.get $a)))
            (v128.xor (v128.load offset=32 (local.get $b)) (v128.load offset=32 (local.get $c))))
          (v128.xor (v128.load offset=32 (local.get $d)) (v128.load offset=32 (local.get $e)))))
      (v128.store offset=48 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.xor (v128.load offset=48 (local.get $at)) (v128.load offset=48 (local.get $a)))
            (v128.xor (v128.load offset=48 (local.get $b)) (v128.load offset=48 (local.get $c))))
          (v128.xor (v128.load offset=48 (local.get $d)) (v128.load offset=48 (local.get $e)))))
      (local.set $a (i32.add (local.get $a) (local.get $step)))
      (local.set $b (i32.add (local.get $b) (local.get $step)))
      (local.set $c (i32.add (local.get $c) (local.get $step)))
      (local.set $d (i32.add (local.get $d) (local.get $step)))
      (local.set $e (i32.add (local.get $e) (local.get $step)))
      (br_if $turn
        (i32.ne (local.tee $at (i32.add (local.get $at) (local.get $step))) (local.get $stop)))))

  (func (export "fold") (param $start i32) (param $end i32)
    (local $from i32)
    ;; Zeros in front change nothing, so the first turn begins at a multiple of 64. 209 units of 16 bytes take 53 turns.
    (local.set $from (i32.and (local.get $start) (i32.const -64)))
    (memory.fill
      (i32.sub (local.get $from) (i32.const 3392))
      (i32.const 0)
      (i32.add (i32.sub (local.get $start) (local.get $from)) (i32.const 3392)))
    (call $pass (local.get $from) (local.get $end) (i32.const 16) (i32.const 64))
    (memory.fill (i32.sub (local.get $end) (i32.const 6784)) (i32.const 0) (i32.const 3440))
    (call $pass
      (i32.sub (local.get $end) (i32.const 64))
      (i32.sub (local.get $end) (i32.const 3456))
      (i32.const 16)
      (i32.const -64))
    ;; The same over those 3,344 bytes with units of 1: 209 take 4 turns.
    (call $pass (i32.sub (local.get $end) (i32.const 3392)) (local.get $end) (i32.const 1) (i32.const 64))
    (memory.fill (i32.sub (local.get $end) (i32.const 512)) (i32.const 0) (i32.const 303))
    (call $pass
      (i32.sub (local.get $end) (i32.const 64))
      (i32.sub (local.get $end) (i32.const 320))
      (i32.const 1)
      (i32.const -64))))
