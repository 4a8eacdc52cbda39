import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { lift } from '../call.ts';
import { hostValue, tracedValue } from '../value.ts';
import { scalar } from './constant.ts';
import { matrixProduct } from './matmul.ts';

/** [B, S, heads * size] as [B, heads, S, size]; an operand of rank 4 is so already. Consumes x. */
function byHeads(call: OperatorCall, x: JaxArray, heads: string): JaxArray {
  if (x.ndim === 4) return x;
  const [batch, length, width] = x.shape as [number, number, number];
  const count = call.int(heads);
  if (width % count !== 0) call.fail(`has a width of ${width}, which ${count} heads do not divide.`);
  return call.jax.numpy.swapaxes(x.reshape([batch, length, count, width / count]), 1, 2);
}

/** Every head of keys and values once for each head of queries that it serves. */
function shared(call: OperatorCall, x: JaxArray, heads: number): JaxArray {
  const own = x.shape[1] as number;
  if (heads % own !== 0) call.fail(`has ${heads} heads of queries for ${own} heads of keys.`);
  return call.jax.numpy.repeat(x, heads / own, 1);
}

/** Logits with the mask and, where it is causal, without the keys behind the query. */
function masked(call: OperatorCall, logits: JaxArray): JaxArray {
  const np = call.jax.numpy;
  let y = logits;
  if (call.has(3)) {
    const mask = call.array(3);
    y = mask.dtype === np.bool ? np.where(mask, y, -Infinity) : y.add(mask);
  }
  if (call.int('is_causal', 0) === 0) return y;
  const [queries, keys] = y.shape.slice(-2) as [number, number];
  const seen = Array.from({ length: queries * keys }, (_, i) => Number(i % keys <= Math.floor(i / keys)));
  return np.where(lift(call.jax, hostValue('bool', [queries, keys], seen), call.dtype), y, -Infinity);
}

/** softmax(scale q k^T + mask) v. */
const attention: OperatorRule = (call) => {
  const np = call.jax.numpy;
  if (call.has(4) || call.has(5)) call.fail('takes past keys, which denoisers do not have. Export without a cache.');
  if (call.float('softcap', 0) !== 0) call.fail('caps its logits, which cannot be read.');
  if (call.node.outputs.slice(1).some((name) => name !== '')) call.fail('gives keys or logits besides its result.');
  const isFlat = call.shape(0).length === 3;
  const q = byHeads(call, call.array(0), 'q_num_heads');
  const [, heads, , size] = q.shape as [number, number, number, number];
  const [k, v] = [1, 2].map((i) => shared(call, byHeads(call, call.array(i), 'kv_num_heads'), heads)) as [
    JaxArray,
    JaxArray,
  ];
  const scale = scalar(call, call.float('scale', 1 / Math.sqrt(size)));
  const logits = matrixProduct(call, q.mul(scale), np.swapaxes(k, -1, -2));
  const mixed = matrixProduct(call, call.jax.nn.softmax(masked(call, logits), -1), v);
  if (!isFlat) return tracedValue(mixed);
  const [batch, , length, width] = mixed.shape as [number, number, number, number];
  return tracedValue(np.swapaxes(mixed, 1, 2).reshape([batch, length, heads * width]));
};

/** One of the two tables of angles as [B or 1, 1, S, size / 2]: rows chosen by position, or given for every position. */
function angles(call: OperatorCall, index: number): JaxArray {
  const table = call.array(index);
  const chosen = call.has(3) ? call.jax.numpy.take(table, call.array(3), 0) : table;
  return call.jax.numpy.expandDims(chosen, 1);
}

/** Pairs of features turned by an angle that grows with the position. */
const rotaryEmbedding: OperatorRule = (call) => {
  const np = call.jax.numpy;
  const shape = [...call.shape(0)];
  const x = byHeads(call, call.array(0), 'num_heads');
  const size = x.shape.at(-1) as number;
  const turned = call.int('rotary_embedding_dim', 0) || size;
  const [front, rest] = turned === size ? [x] : np.split(x, [turned], -1);
  const lead = (front as JaxArray).shape.slice(0, -1);
  // Neighbours are a pair, or the first half pairs with the second.
  const axis = call.int('interleaved', 0) === 0 ? 3 : 4;
  const pairs = (front as JaxArray).reshape([...lead, ...(axis === 3 ? [2, turned / 2] : [turned / 2, 2])]);
  const [a, b] = np.split(pairs, 2, axis).map((part) => part.reshape([...lead, turned / 2])) as [JaxArray, JaxArray];
  const [cos, sin] = [angles(call, 1), angles(call, 2)];
  const first = cos.ref.mul(a.ref).sub(sin.ref.mul(b.ref));
  const second = sin.mul(a).add(cos.mul(b));
  const joined = np.stack([first, second], axis).reshape([...lead, turned]);
  const whole = rest === undefined ? joined : np.concatenate([joined, rest], -1);
  return tracedValue(shape.length === 4 ? whole : np.swapaxes(whole, 1, 2).reshape(shape));
};

/** Attention as one operator, and the rotation of its queries and keys. */
export const attentionRules: OperatorRules = {
  Attention: attention,
  RotaryEmbedding: rotaryEmbedding,
};
