"""How far apart colours look, to full colour vision and to the two common kinds of blindness."""

import itertools

import numpy as np

# On linear red, green and blue: Machado et al., A physiologically-based model for simulation of
# color vision deficiency, 2009, table 1, severity 1.0
EYES = {
    "full": np.eye(3),
    "protan": np.array(
        [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]
    ),
    "deutan": np.array(
        [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]
    ),
}
# From linear red, green and blue to CIE XYZ, as shares of white
XYZ = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1094, 0.8728]])


def lab(colour, eyes):
    """Return L*, a* and b* of CIE for "#rrggbb", as these eyes see it."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(np.maximum(XYZ @ np.clip(EYES[eyes] @ linear, 0, 1), 0.009))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def least_difference(colours):
    """Return the smallest distance of two colours to any eyes; 2 is just noticeable."""
    return min(
        float(np.linalg.norm(lab(a, eyes) - lab(b, eyes)))
        for a, b in itertools.combinations(colours, 2)
        for eyes in EYES
    )
