/** From an NDTiff image's axes, which are free, to its place in a movie: image (stage position), channel, slice, time. */
import type { FramePlace } from "../model/movie.js";

/** An image's axes by name. */
export type Axes = Readonly<Record<string, number | string>>;

/** Places of images, and what their numbers mean. */
export interface Places {
  readonly places: readonly FramePlace[];
  readonly channelNames?: readonly string[];
  readonly imageNames?: readonly string[];
  readonly warnings: readonly string[];
}

type Value = number | string | undefined;

/**
 * Places of images by their axes, no two of them the same.
 *
 * "channel", "z", "time" and "position" are what they are called. Every other axis (row, column, repeat) is part of
 * the position's name. Where no axis is called time, the only other axis of integers is taken as it. An image whose
 * axes are not told, and one that falls on the place of another (it lacks an axis that others have), is an image of
 * its own. Integers from 0 on are numbers as they stand; other integers are counted in their order, texts in that of
 * their first appearance. `channels` are names for integer channels, as the metadata tells them.
 */
export function placesOf(all: readonly (Axes | null)[], channels: ReadonlyMap<number, string> = new Map()): Places {
  const warnings: string[] = [];
  if (all.every((axes) => axes === null)) {
    warnings.push("images do not tell their axes: they are taken as frames in the order in which they were written.");
    return { places: all.map((_, time) => ({ image: 0, channel: 0, slice: 0, time })), warnings };
  }
  const names = new Set(all.flatMap((axes) => (axes === null ? [] : Object.keys(axes))));
  const called = (wanted: string): string | null => [...names].find((name) => name.toLowerCase() === wanted) ?? null;
  const [channel, z, position] = [called("channel"), called("z"), called("position")];
  const standard = new Set([channel, z, position]);
  const time = called("time") ?? onlyOther(all, names, standard, warnings);
  const others = [...names].filter((name) => name !== time && !standard.has(name));
  const varying = others.filter((name) => new Set(all.map((axes) => axes?.[name])).size > 1);
  if (varying.length > 0) {
    const list = varying.map((name) => `"${name}"`).join(", ");
    warnings.push(
      `the dataset has ${varying.length === 1 ? "an axis" : "axes"} ${list}: each value is taken as a position of its own.`,
    );
  }
  const at = (axes: Axes | null, name: string | null): Value => (name === null ? undefined : axes?.[name]);
  const channelOf = numbering(all.map((axes) => at(axes, channel)));
  const sliceOf = numbering(all.map((axes) => at(axes, z)));
  const timeOf = numbering(all.map((axes) => at(axes, time)));
  if (sliceOf.moved) warnings.push(`slices are ${sliceOf.span} in the file: they are counted from 0 here.`);
  if (timeOf.moved) warnings.push(`times are ${timeOf.span} in the file: they are counted from 0 here.`);
  const positionOf = (axes: Axes | null): string => {
    const own = at(axes, position);
    const rest = varying.flatMap((name) => (axes?.[name] === undefined ? [] : [`${name} ${axes[name]}`]));
    return (
      [
        ...(own === undefined ? [] : [typeof own === "number" && rest.length > 0 ? `position ${own}` : own]),
        ...rest,
      ].join(" ") || "without"
    );
  };
  const images = varying.length === 0 ? numbering(all.map((axes) => at(axes, position))) : null;
  const spots = new Map<string, number>(images?.names.map((name, number) => [name, number]));
  const imageNames = images === null ? [] : [...images.names];
  // Images without a position are image 0; others may come beside them.
  if (images !== null && imageNames.length === 0) imageNames.push("0");
  const ownImage = (name: string): number => {
    const known = spots.get(name);
    if (known !== undefined) return known;
    spots.set(name, imageNames.length);
    return imageNames.push(name) - 1;
  };

  const taken = new Set<string>();
  let alone = 0;
  let unknown = 0;
  const places = all.map((axes): FramePlace => {
    const image = images === null ? ownImage(positionOf(axes)) : images.of(at(axes, position));
    const place = {
      image,
      channel: channelOf.of(at(axes, channel)),
      slice: sliceOf.of(at(axes, z)),
      time: timeOf.of(at(axes, time)),
    };
    if (axes === null) {
      const own = { ...place, image: ownImage("axes unknown"), channel: 0, slice: 0, time: unknown++ };
      taken.add(Object.values(own).join());
      return own;
    }
    for (let tries = 0; taken.has(Object.values(place).join()); tries++) {
      if (tries === 0) alone++;
      const text = Object.entries(axes).map(([name, value]) => `${name} ${value}`);
      place.image = ownImage(`${text.join(" ") || "no axes"}${tries === 0 ? "" : ` (${tries + 1})`}`);
    }
    taken.add(Object.values(place).join());
    return place;
  });
  if (alone > 0) {
    warnings.push(
      `${alone} ${alone === 1 ? "image lacks" : "images lack"} an axis that others have, and would fall on one of them: ` +
        `${alone === 1 ? "it is a position of its own" : "they are positions of their own"}.`,
    );
  }
  if (unknown > 0) {
    warnings.push(
      `${unknown} ${unknown === 1 ? "image does" : "images do"} not tell their axes: they are in a position of their own, in order.`,
    );
  }
  const channelNames = channelOf.named
    ? channelOf.names
    : channels.size > 0
      ? channelOf.names.map((name, number) => channels.get(channelOf.valueOf(number)) ?? name)
      : undefined;
  const named =
    imageNames.length > 0 && (images === null || images.named || imageNames.length > Math.max(1, images.names.length));
  return {
    places,
    ...(channelNames === undefined ? {} : { channelNames }),
    ...(named ? { imageNames } : {}),
    warnings,
  };
}

/** The axis that stands for time where none is called so: the only other one, of integers that are not all one. */
function onlyOther(
  all: readonly (Axes | null)[],
  names: ReadonlySet<string>,
  standard: ReadonlySet<string | null>,
  warnings: string[],
): string | null {
  const others = [...names].filter((name) => !standard.has(name));
  const [only] = others;
  if (only === undefined || others.length > 1) return null;
  const values = all.map((axes) => axes?.[only]);
  if (values.some((value) => !Number.isInteger(value)) || new Set(values).size < 2) return null;
  warnings.push(`the dataset has no axis "time": its axis "${only}" is taken as time.`);
  return only;
}

interface Numbering {
  readonly of: (value: Value) => number;
  readonly valueOf: (number: number) => number;
  /** By number. */
  readonly names: readonly string[];
  /** Whether names say more than the numbers do. */
  readonly named: boolean;
  /** Whether integers were counted anew, and how they stood in the file. */
  readonly moved: boolean;
  readonly span: string;
}

/** More values of an axis than a name is given to, one a number. */
const maxSpread = 4096;

function numbering(values: readonly Value[]): Numbering {
  const distinct = [...new Set(values.filter((value) => value !== undefined))];
  const integers = distinct.every((value) => typeof value === "number" && Number.isInteger(value));
  if (!integers) {
    const order = new Map(distinct.map((value, number) => [value, number]));
    const names = distinct.map(String);
    return {
      of: (value) => (value === undefined ? 0 : order.get(value)!),
      valueOf: Number,
      names,
      named: true,
      moved: false,
      span: "",
    };
  }
  const sorted = distinct.map(Number).sort((a, b) => a - b);
  const first = sorted[0] ?? 0;
  const last = sorted.at(-1) ?? 0;
  const span = first === last ? `${first}` : `${first} to ${last}`;
  // Wavelengths as channels, or slices about a middle, are values; a few missing numbers do not make them so.
  if (first >= 0 && last < Math.max(maxSpread, 4 * values.length) && last < 2 * sorted.length + 8) {
    const names = Array.from({ length: distinct.length === 0 ? 0 : last + 1 }, (_, number) => `${number}`);
    const of = (value: Value): number => (value === undefined ? 0 : Number(value));
    return { of, valueOf: (number) => number, names, named: false, moved: false, span };
  }
  const order = new Map(sorted.map((value, number) => [value, number]));
  return {
    of: (value) => (value === undefined ? 0 : order.get(Number(value))!),
    valueOf: (number) => sorted[number]!,
    names: sorted.map(String),
    named: true,
    moved: true,
    span,
  };
}
